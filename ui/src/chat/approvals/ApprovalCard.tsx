import { Hand } from "lucide-react";
import { useState } from "react";
import { prettyJson } from "@/format/json";
import { Code } from "@/kit";
import { planOfPreview } from "../calls/plan";
import type { Approval } from "../thread/model";
import { AllowForm } from "./AllowForm";
import { type Decision, DecisionButtons } from "./DecisionButtons";
import { EditForm } from "./EditForm";
import { Expiry } from "./Expiry";
import { Preview } from "./Preview";
import { Plan } from "./Plan";
import { RejectForm } from "./RejectForm";

/** An open approval: the exact call, a preview and the decision. */
export function ApprovalCard({ approval }: { approval: Approval }) {
  const [step, setStep] = useState<"choose" | Decision>("choose");
  const back = () => setStep("choose");
  const plan = planOfPreview(approval.preview);
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
        {step === "edit" ? (
          <EditForm approval={approval} onBack={back} />
        ) : (
          <>
            {plan ? <Plan plan={plan} /> : <Preview preview={approval.preview} />}
            <Code
              title="The exact call"
              text={`${approval.tool} ${prettyJson(approval.args)}`}
              maxHeight="20rem"
              wrap
            />
            {step === "choose" && <DecisionButtons approval={approval} onChoose={setStep} />}
            {step === "allow" && <AllowForm approval={approval} onBack={back} />}
            {step === "reject" && <RejectForm approval={approval} onBack={back} />}
          </>
        )}
      </div>
    </section>
  );
}
