import { type ReactNode, useId } from "react";
import { Field, Input } from "@/kit";
import { get, type Path } from "@/yaml/document";
import { isValue, type Value, valuesOf, valuesText } from "../spec/values";
import { useForm } from "./context";
import { useParsedInput } from "./useParsedInput";

type Props = {
  path: Path;
  label: string;
  help?: ReactNode;
  placeholder?: string;
  suggestions?: readonly string[];
  className?: string;
};

/** Comma-separated values. In the task a single value may stand without a list. */
export function ListField({ path, label, help, placeholder, suggestions, className }: Props) {
  const form = useForm();
  const list = useId();
  const raw = get(form.data, path);
  const values = Array.isArray(raw) ? (raw as unknown[]).filter(isValue) : isValue(raw) ? [raw] : [];
  const typed = useParsedInput<readonly Value[]>(values, {
    write: valuesText,
    read: valuesOf,
    set: (next) => form.set(path, next.length > 0 ? next : undefined),
  });
  return (
    <Field label={label} help={help} error={form.problem(path)} className={className}>
      <Input
        value={typed.value}
        placeholder={placeholder}
        name={path.join(".")}
        spellCheck={false}
        list={suggestions && list}
        onChange={(event) => typed.onType(event.target.value)}
        onBlur={() => form.leave(path)}
      />
      {suggestions && (
        <datalist id={list}>
          {suggestions.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </Field>
  );
}
