import { Select } from "@/kit";
import { shortName } from "../metrics";
import type { Result } from "../types";

type Props = { result: Result; value: number; onChange: (index: number) => void };

/** Which objective a chart shows; nothing where there is only one. */
export function ObjectiveSelect({ result, value, onChange }: Props) {
  if (result.objectives.length < 2) return null;
  return (
    <Select
      aria-label="Objective"
      value={String(value)}
      onChange={(next) => onChange(Number(next))}
      options={result.objectives.map((one, index) => ({ value: String(index), label: shortName(one) }))}
      className="w-36"
    />
  );
}
