import { Hand } from "lucide-react";
import { useState } from "react";
import { Code } from "@/kit";
import { planOf } from "../calls/plan";
import { lines } from "../json";
import type { Approval } from "../thread/model";
import { AllowForm } from "./AllowForm";
import { Choices } from "./Choices";
import { EditForm } from "./EditForm";
import { Expiry } from "./Expiry";
import { Facts } from "./Facts";
import { Plan } from "./Plan";
import { RejectForm } from "./RejectForm";

export type Way = "choose" | "edit" | "allow" | "reject";

/** A call that waits for a decision, exactly as it will run, with what it would do. */
export function ApprovalCard({ approval }: { approval: Approval }) {
  const [way, setWay] = useState<Way>("choose");
  const back = () => setWay("choose");
  const plan = planOf(approval.preview);
  return (
    <section
      data-approval={approval.id}
      tabIndex={-1}
      aria-label={`${approval.tool} waits for approval`}
      className="min-w-0 scroll-m-4 rounded-lg border border-warn/50 bg-surface outline-offset-2"
    >
      <header className="flex min-h-9 flex-wrap items-center gap-x-2 rounded-t-lg border-b border-warn/30 bg-warn-soft px-3 py-1.5 text-sm">
        <Hand className="size-3.5 shrink-0 text-warn" aria-hidden="true" />
        <h3 className="mr-auto min-w-0 break-words font-medium">
          <span className="font-mono text-xs">{approval.tool}</span> waits for your approval
        </h3>
        <Expiry at={approval.expires_at} />
      </header>
      <div className="space-y-3 p-3">
        {way === "edit" ? (
          <EditForm approval={approval} onBack={back} />
        ) : (
          <>
            {plan ? <Plan plan={plan} /> : <Facts preview={approval.preview} />}
            <Code
              title="The exact call"
              text={`${approval.tool} ${lines(approval.args)}`}
              maxHeight="20rem"
              wrap
            />
            {way === "choose" && <Choices approval={approval} onChoose={setWay} />}
            {way === "allow" && <AllowForm approval={approval} onBack={back} />}
            {way === "reject" && <RejectForm approval={approval} onBack={back} />}
          </>
        )}
      </div>
    </section>
  );
}
