import { Page } from "@/kit";
import { Grants } from "./Grants";
import { OpenApprovals } from "./OpenApprovals";
import { Rules } from "./Rules";

/** Open approvals, policy rules and grants. */
export default function PolicyPage() {
  return (
    <Page
      title="Policy"
      width="read"
      detail="Which calls of the assistant run by themselves, which ask, and which never run."
    >
      <div className="space-y-4">
        <OpenApprovals />
        <Rules />
        <Grants />
      </div>
    </Page>
  );
}
