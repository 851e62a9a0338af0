import { Checkbox, Field, Input, Select } from "@/kit";
import type { Range } from "../spec/domain";
import { valueOf } from "../spec/values";
import { useParsedInput } from "./useParsedInput";

type Props = { name: string; range: Range; onChange: (range: Range) => void };

const TYPES = [
  { value: "integer", label: "whole" },
  { value: "continuous", label: "real" },
] as const;

/** From low to high, both included. */
export function RangeFields({ name, range, onChange }: Props) {
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Bound
        label={`Lowest ${name}`}
        placeholder="low"
        value={range.low}
        onChange={(low) => onChange({ ...range, low })}
      />
      <span className="text-faint">to</span>
      <Bound
        label={`Highest ${name}`}
        placeholder="high"
        value={range.high}
        onChange={(high) => onChange({ ...range, high })}
      />
      <Field label={`Numbers of ${name}`} hideLabel className="w-24">
        <Select value={range.type} options={TYPES} onChange={(type) => onChange({ ...range, type })} />
      </Field>
      {!range.log && (
        <Bound
          label={`Step of ${name}`}
          placeholder="step"
          value={range.step ?? undefined}
          onChange={(step) => onChange({ ...range, step })}
        />
      )}
      <label className="flex items-center gap-1.5 text-sm">
        <Checkbox checked={range.log === true} onChange={(log) => onChange({ ...range, log })} />
        log scale
      </label>
    </div>
  );
}

type BoundProps = {
  label: string;
  placeholder: string;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
};

function Bound({ label, placeholder, value, onChange }: BoundProps) {
  const typed = useParsedInput<number | undefined>(value, {
    write: (one) => (one === undefined ? "" : String(one)),
    read: (text) => {
      const number = valueOf(text);
      return typeof number === "number" ? number : undefined;
    },
    set: onChange,
  });
  return (
    <Field label={label} hideLabel className="w-24">
      <Input
        inputMode="decimal"
        className="num"
        placeholder={placeholder}
        value={typed.value}
        onChange={(event) => typed.onType(event.target.value)}
      />
    </Field>
  );
}
