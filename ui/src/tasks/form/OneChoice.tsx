import { Field, Select } from "@/kit";
import { type Value, valueText } from "../spec/values";

type Props = { label: string; choices: readonly Value[]; value: Value; onChange: (value: Value) => void };

/** Select for values of any type. */
export function OneChoice({ label, choices, value, onChange }: Props) {
  const options = choices.map((one) => ({ value: valueText(one), label: valueText(one) || "(empty)" }));
  return (
    <Field label={label} hideLabel>
      <Select
        value={valueText(value)}
        options={options}
        onChange={(next) => onChange(choices.find((one) => valueText(one) === next) ?? next)}
      />
    </Field>
  );
}
