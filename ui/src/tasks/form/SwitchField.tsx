import type { ReactNode } from "react";
import { Field, Switch } from "@/kit";
import { get, type Path } from "@/yaml/document";
import { useForm } from "./context";

type Props = { path: Path; label: string; help?: ReactNode; defaultValue?: boolean; className?: string };

export function SwitchField({ path, label, help, defaultValue = false, className }: Props) {
  const form = useForm();
  const value = get(form.data, path);
  const checked = typeof value === "boolean" ? value : defaultValue;
  return (
    <Field label={label} help={help} inline error={form.problem(path)} className={className}>
      <Switch
        checked={checked}
        onChange={(next) => form.set(path, next === defaultValue ? undefined : next)}
      />
    </Field>
  );
}
