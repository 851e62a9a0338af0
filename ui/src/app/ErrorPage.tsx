import { useRouteError } from "react-router";
import { Button, ErrorMessage, Page } from "@/kit";

/** A page that failed by itself: a bug, or a new build whose files have other names. Loading it anew helps with both. */
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
