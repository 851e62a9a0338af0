import { useRouteError } from "react-router";
import { Button, ErrorMessage, Page } from "@/kit";

/** Error boundary of a page: a bug, or a newer build whose files have other names. A reload may help with both. */
export function ErrorPage() {
  const error = useRouteError();
  return (
    <Page title="This page failed" width="read">
      <ErrorMessage
        error={error}
        action={
          <Button size="sm" onClick={() => window.location.reload()}>
            Load the page anew
          </Button>
        }
      />
    </Page>
  );
}
