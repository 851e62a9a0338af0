import type { ReactNode } from "react";
import { Field, type Option, Select } from "@/kit";
import { get, type Path } from "@/yaml/document";
import { useForm } from "./context";

type Props<V extends string> = {
  path: Path;
  label: string;
  options: readonly Option<V>[];
  defaultValue: V;
  help?: ReactNode;
  className?: string;
};

/** Select for a key of the task. A value that is no option is shown as well. */
export function ChoiceField<V extends string>({
  path,
  label,
  options,
  defaultValue,
  help,
  className,
}: Props<V>) {
  const form = useForm();
  const raw = get(form.data, path);
  const value = typeof raw === "string" ? raw : defaultValue;
  const all: readonly Option[] = options.some((one) => one.value === value)
    ? options
    : [...options, { value, label: value }];
  return (
    <Field label={label} help={help} error={form.problem(path)} className={className}>
      <Select value={value} options={all} onChange={(next) => form.set(path, next)} />
    </Field>
  );
}
