import type { ReactNode } from "react";
import { Field, Input, Textarea } from "@/kit";
import { get, type Path } from "@/yaml/document";
import { useForm } from "./context";

type Props = {
  path: Path;
  label: string;
  help?: ReactNode;
  placeholder?: string;
  required?: boolean;
  /** Several lines. */
  long?: boolean;
  className?: string;
};

export function TextField({ path, label, help, placeholder, required, long, className }: Props) {
  const form = useForm();
  const value = get(form.data, path);
  const control = {
    value: value === undefined || value === null ? "" : String(value),
    placeholder,
    name: path.join("."),
    onChange: (event: { target: { value: string } }) => form.set(path, event.target.value || undefined),
    onBlur: () => form.leave(path),
  };
  return (
    <Field label={label} help={help} required={required} error={form.problem(path)} className={className}>
      {long ? <Textarea rows={2} {...control} /> : <Input {...control} spellCheck={false} />}
    </Field>
  );
}
