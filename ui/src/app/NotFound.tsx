import { Compass } from "lucide-react";
import { useLocation } from "react-router";
import { ButtonLink, Empty, Page } from "@/kit";

/** Page for an unknown address (404). */
export function NotFound() {
  const { pathname } = useLocation();
  return (
    <Page title="Nothing here" heading={<></>}>
      <Empty
        icon={<Compass />}
        title="There is nothing at this address"
        as="h1"
        action={
          <>
            <ButtonLink to="/tasks">All tasks</ButtonLink>
            <ButtonLink to="/" variant="primary">
              To the chat
            </ButtonLink>
          </>
        }
      >
        <code className="break-all font-mono text-xs">{pathname}</code>
      </Empty>
    </Page>
  );
}
