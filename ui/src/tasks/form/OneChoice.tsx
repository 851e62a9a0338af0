import { Field, Select } from "@/kit";
import { type Value, written } from "../draft/values";

type Props = { label: string; choices: readonly Value[]; value: Value; onChange: (value: Value) => void };

/** One of a few values, of whatever type. */
export function OneChoice({ label, choices, value, onChange }: Props) {
  const options = choices.map((one) => ({ value: written(one), label: written(one) || "(empty)" }));
  return (
    <Field label={label} hideLabel>
      <Select
        value={written(value)}
        options={options}
        onChange={(next) => onChange(choices.find((one) => written(one) === next) ?? next)}
      />
    </Field>
  );
}
