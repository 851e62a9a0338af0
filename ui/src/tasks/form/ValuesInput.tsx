import { useId } from "react";
import { Field, Input } from "@/kit";
import { type Value, valueOf, valuesOf, valuesText, valueText } from "../spec/values";
import { useParsedInput } from "./useParsedInput";

type Props = {
  label: string;
  values: readonly Value[];
  /** Comma-separated. */
  many: boolean;
  suggestions?: readonly Value[];
  invalid?: boolean;
  onChange: (values: readonly Value[]) => void;
  onBlur: () => void;
};

export function ValuesInput({ label, values, many, suggestions = [], invalid, onChange, onBlur }: Props) {
  const list = useId();
  const typed = useParsedInput<readonly Value[]>(values, {
    write: (all) => (many ? valuesText(all) : all[0] === undefined ? "" : valueText(all[0])),
    read: (text) => (many ? valuesOf(text) : [valueOf(text)]),
    set: onChange,
  });
  return (
    <Field label={label} hideLabel>
      <Input
        className="font-mono"
        value={typed.value}
        placeholder={many ? "values, with commas" : "value"}
        spellCheck={false}
        aria-invalid={invalid || undefined}
        list={suggestions.length > 0 ? list : undefined}
        onChange={(event) => typed.onType(event.target.value)}
        onBlur={onBlur}
      />
      <datalist id={list}>
        {suggestions.map((one) => (
          <option key={valueText(one)} value={valueText(one)} />
        ))}
      </datalist>
    </Field>
  );
}
