import { Field, Input, Select, Switch, Textarea } from "@/kit";
import type { FieldSpec } from "./fields";

type Props = { spec: FieldSpec; value: string; error: string | undefined; onChange: (value: string) => void };

const LEFT_OUT = { value: "", label: "left out" };

/** Form field of an argument, by its JSON schema. */
export function Argument({ spec, value, error, onChange }: Props) {
  const help = [
    spec.help,
    spec.kind === "list" ? "One in each line." : "",
    spec.kind === "json" ? "JSON." : "",
  ]
    .filter(Boolean)
    .join(" ");
  return (
    <Field
      label={<span className="font-mono text-xs">{spec.name}</span>}
      help={help || undefined}
      error={error && <span className="whitespace-pre-line">{error}</span>}
      required={spec.required}
      inline={spec.kind === "boolean"}
    >
      <Control spec={spec} value={value} onChange={onChange} />
    </Field>
  );
}

function Control({ spec, value, onChange }: Omit<Props, "error">) {
  const typed = {
    value,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
    spellCheck: false,
  };
  switch (spec.kind) {
    case "boolean":
      return <Switch checked={value === "true"} onChange={(on) => onChange(String(on))} />;
    case "choice": {
      const choices = spec.choices.map((one) => ({ value: one, label: one }));
      return (
        <Select
          value={value}
          onChange={onChange}
          options={spec.required ? choices : [LEFT_OUT, ...choices]}
        />
      );
    }
    case "number":
    case "integer":
      return <Input {...typed} inputMode="decimal" className="num max-w-48" />;
    case "list":
      return (
        <Textarea {...typed} rows={Math.min(8, value.split("\n").length + 1)} className="font-mono text-xs" />
      );
    case "json":
      return (
        <Textarea
          {...typed}
          rows={Math.min(18, value.split("\n").length + 1)}
          className="font-mono text-xs"
        />
      );
    case "long":
      return <Textarea {...typed} spellCheck rows={6} />;
    case "text":
      return <Input {...typed} />;
  }
}
