import type { ReactNode } from "react";
import { Field, Input } from "@/kit";
import { get, type Path } from "@/yaml/document";
import { valueOf } from "../spec/values";
import { useForm } from "./context";
import { useParsedInput } from "./useParsedInput";

type Props = {
  path: Path;
  label: string;
  help?: ReactNode;
  unit?: string;
  /** The default, shown while the field is empty. */
  placeholder?: string;
  className?: string;
};

/** A number. Other text is kept as typed, and the service reports it. */
export function NumberField({ path, label, help, unit, placeholder, className }: Props) {
  const form = useForm();
  const typed = useParsedInput<unknown>(get(form.data, path), {
    write: (value) => (value === undefined || value === null ? "" : String(value)),
    read: (text) => (text.trim() === "" ? undefined : valueOf(text)),
    set: (value) => form.set(path, value),
  });
  return (
    <Field label={label} help={help} error={form.problem(path)} className={className}>
      <Input
        inputMode="decimal"
        className="num"
        value={typed.value}
        placeholder={placeholder}
        after={unit}
        name={path.join(".")}
        onChange={(event) => typed.onType(event.target.value)}
        onBlur={() => form.leave(path)}
      />
    </Field>
  );
}
