import { useEffect, useRef, useState } from "react";
import { Button, ErrorMessage, Field, Textarea } from "@/kit";
import type { Approval } from "../thread/model";
import { useDecision } from "./useDecision";

type Props = { approval: Approval; onBack: () => void };

export function RejectForm({ approval, onBack }: Props) {
  const [reason, setReason] = useState("");
  const decision = useDecision(approval.id);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    // What it returns is no clean-up.
    form.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const reject = () => decision.mutate({ kind: "reject", reason: reason.trim() });
  return (
    <form
      ref={form}
      aria-label={`Reject ${approval.tool}`}
      className="scroll-m-3 space-y-2.5 border-t border-line pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        reject();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onBack();
        if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
          if (event.target instanceof HTMLTextAreaElement) event.preventDefault();
          if (event.target instanceof HTMLTextAreaElement && !decision.isPending) reject();
        }
      }}
    >
      <Field label="Why not?" help="The assistant reads it, and goes on from there. It may be left empty.">
        <Textarea
          autoFocus
          rows={2}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </Field>
      {decision.isError && <ErrorMessage error={decision.error} compact />}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="danger" pending={decision.isPending || decision.isSuccess}>
          Reject
        </Button>
        <Button onClick={onBack}>Back</Button>
      </div>
    </form>
  );
}
