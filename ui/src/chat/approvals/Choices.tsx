import { Check, Pencil, ShieldCheck, X } from "lucide-react";
import { Button, Failure, Tooltip } from "@/kit";
import { useConversation } from "../conversation";
import type { Approval } from "../thread/model";
import type { Way } from "./ApprovalCard";
import { useDecision } from "./useDecision";

type Props = { approval: Approval; onChoose: (way: Way) => void };

const ICON = "size-3.5";
const UNSAFE =
  "Text from outside (a log, a model card, an issue) has been read in this session, so each call is approved alone.";

export function Choices({ approval, onChoose }: Props) {
  const { tainted } = useConversation();
  const decision = useDecision(approval.id);
  const allow = (
    <Button
      look="quiet"
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
          look="primary"
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
      {decision.isError && <Failure error={decision.error} compact />}
    </div>
  );
}
