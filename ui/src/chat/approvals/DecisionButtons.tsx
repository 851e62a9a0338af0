import { Check, Pencil, ShieldCheck, X } from "lucide-react";
import { Button, ErrorMessage, Tooltip } from "@/kit";
import { useConversation } from "../conversation";
import type { Approval } from "../thread/model";
import { useDecision } from "./useDecision";

/** Decisions that need a form. */
export type Decision = "edit" | "allow" | "reject";
type Props = { approval: Approval; onChoose: (decision: Decision) => void };

const ICON = "size-3.5";
const UNSAFE =
  "Text from outside (a log, a model card, an issue) has been read in this session, so each call is approved alone.";

export function DecisionButtons({ approval, onChoose }: Props) {
  const { tainted } = useConversation();
  const decision = useDecision(approval.id);
  const allow = (
    <Button
      variant="quiet"
      icon={<ShieldCheck className={ICON} />}
      aria-disabled={tainted || undefined}
      onClick={() => !tainted && onChoose("allow")}
    >
      Allow for this session…
    </Button>
  );
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-center gap-2">
        <Button
          variant="primary"
          icon={<Check className={ICON} />}
          pending={decision.isPending || decision.isSuccess}
          onClick={() => decision.mutate({ kind: "approve", digest: approval.digest })}
        >
          Approve
        </Button>
        <Button icon={<Pencil className={ICON} />} onClick={() => onChoose("edit")}>
          Edit…
        </Button>
        <Button icon={<X className={ICON} />} onClick={() => onChoose("reject")}>
          Reject…
        </Button>
        <span className="sm:ml-auto">{tainted ? <Tooltip text={UNSAFE}>{allow}</Tooltip> : allow}</span>
      </div>
      {tainted && <p className="text-xs text-muted">{UNSAFE}</p>}
      {decision.isError && <ErrorMessage error={decision.error} compact />}
    </div>
  );
}
