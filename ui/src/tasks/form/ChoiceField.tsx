import type { ReactNode } from "react";
import { Field, type Option, Select } from "@/kit";
import { get, type Path } from "@/yaml/document";
import { useForm } from "./context";
import { TextField } from "./TextField";

type Props = {
  path: Path;
  label: string;
  /** Undefined: what there is, is not known, and the field is text. */
  options: readonly Option[] | undefined;
  defaultValue: string;
  help?: ReactNode;
  className?: string;
};

/** Select for a key of the task. A value that is no option is shown as well. */
export function ChoiceField({ path, label, options, defaultValue, help, className }: Props) {
  const form = useForm();
  if (!options) {
    return (
      <TextField path={path} label={label} placeholder={defaultValue} help={help} className={className} />
    );
  }
  const raw = get(form.data, path);
  const value = typeof raw === "string" ? raw : defaultValue;
  const all = options.some((one) => one.value === value) ? options : [...options, { value, label: value }];
  return (
    <Field label={label} help={help} error={form.problem(path)} className={className}>
      <Select value={value} options={all} onChange={(next) => form.set(path, next)} />
    </Field>
  );
}
