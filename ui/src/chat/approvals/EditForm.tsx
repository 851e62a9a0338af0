import { useEffect, useRef, useState } from "react";
import { ApiError } from "@/api";
import { Button, ErrorMessage } from "@/kit";
import { Argument } from "../form/Argument";
import { type Errors, fields, placed, read, texts } from "../form/fields";
import type { Approval } from "../thread/model";
import { useDecision } from "./useDecision";

type Props = { approval: Approval; onBack: () => void };

/** Form to edit a call's arguments, with the service's errors at their fields. */
export function EditForm({ approval, onBack }: Props) {
  const specs = fields(approval.args_schema);
  const [typed, setTyped] = useState(() => texts(specs, approval.args));
  const [errors, setErrors] = useState<Errors>({});
  const form = useRef<HTMLFormElement>(null);
  const decision = useDecision(approval.id);

  useEffect(() => form.current?.querySelector<HTMLElement>("input, textarea, select, button")?.focus(), []);
  useEffect(() => {
    if (Object.keys(errors).length > 0)
      form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [errors]);

  const submit = () => {
    const { args, errors: unreadable } = read(specs, typed);
    setErrors(unreadable);
    if (Object.keys(unreadable).length > 0) return;
    decision.mutate(
      { kind: "approve", args, digest: approval.digest },
      { onError: (error) => setErrors(error instanceof ApiError ? placed(specs, error.problem.errors) : {}) },
    );
  };
  const elsewhere = decision.isError && (errors[""] !== undefined || Object.keys(errors).length === 0);
  return (
    <form
      ref={form}
      noValidate
      aria-label={`Arguments of ${approval.tool}`}
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onKeyDown={(event) => event.key === "Escape" && onBack()}
    >
      {specs.map((spec) => (
        <Argument
          key={spec.name}
          spec={spec}
          value={typed[spec.name] ?? ""}
          error={errors[spec.name]}
          onChange={(value) => setTyped({ ...typed, [spec.name]: value })}
        />
      ))}
      {specs.length === 0 && <p className="text-sm text-muted">This call takes no arguments.</p>}
      {elsewhere && <ErrorMessage error={decision.error} compact />}
      <p className="text-xs text-muted">
        The call runs with what stands here. What was shown before was about the old arguments.
      </p>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="primary" pending={decision.isPending || decision.isSuccess}>
          Approve as edited
        </Button>
        <Button onClick={onBack}>Back</Button>
      </div>
    </form>
  );
}
