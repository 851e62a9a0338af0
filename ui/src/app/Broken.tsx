import { useRouteError } from "react-router";
import { Button, Failure, Page } from "@/kit";

/** A page that failed by itself: a bug, or a new build whose files have other names. Loading it anew helps with both. */
export function Broken() {
  const error = useRouteError();
  return (
    <Page title="This page failed" width="read">
      <Failure
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
