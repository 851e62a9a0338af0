import { useEffect, useRef, useState } from "react";
import { Button, Checkbox, ErrorMessage, Input } from "@/kit";
import { allowed, pattern, type ArgumentRule, argumentRules } from "../form/pattern";
import type { Approval } from "../thread/model";
import { useDecision } from "./useDecision";

type Props = { approval: Approval; onBack: () => void };

/** Approves a call and allows later ones whose arguments match a pattern. */
export function AllowForm({ approval, onBack }: Props) {
  const [bound, setBound] = useState(() => argumentRules(approval.args));
  const decision = useDecision(approval.id);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>("input, button")?.focus();
    form.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const change = (name: string, to: Partial<ArgumentRule>) =>
    setBound(bound.map((rule) => (rule.name === name ? { ...rule, ...to } : rule)));
  return (
    <form
      ref={form}
      aria-label={`Allow ${approval.tool} for this session`}
      className="scroll-m-3 space-y-2.5 border-t border-line pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        decision.mutate({
          kind: "approve",
          digest: approval.digest,
          for_session: true,
          pattern: pattern(bound),
        });
      }}
      onKeyDown={(event) => event.key === "Escape" && onBack()}
    >
      {bound.length > 0 && (
        <fieldset className="space-y-1.5">
          <legend className="mb-1.5 text-sm font-medium">
            Later calls must have{" "}
            <span className="font-normal text-muted">(in text, * stands for anything)</span>
          </legend>
          {bound.map((rule) => (
            <div key={rule.name} className="flex items-center gap-2">
              <label className="flex w-36 shrink-0 items-center gap-2">
                <Checkbox checked={rule.bound} onChange={(on) => change(rule.name, { bound: on })} />
                <span className="truncate font-mono text-xs">{rule.name}</span>
              </label>
              {typeof rule.value === "string" ? (
                <Input
                  aria-label={`Value of ${rule.name}`}
                  value={rule.value}
                  disabled={!rule.bound}
                  spellCheck={false}
                  onChange={(event) => change(rule.name, { value: event.target.value })}
                />
              ) : (
                <code className="min-w-0 truncate font-mono text-xs text-muted">
                  {JSON.stringify(rule.value)}
                </code>
              )}
            </div>
          ))}
        </fieldset>
      )}
      <p className="text-sm text-muted">{allowed(approval.tool, bound)}</p>
      {decision.isError && <ErrorMessage error={decision.error} compact />}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="primary" pending={decision.isPending || decision.isSuccess}>
          Approve and allow
        </Button>
        <Button onClick={onBack}>Back</Button>
      </div>
    </form>
  );
}
