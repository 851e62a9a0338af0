import { Select } from "@/kit";
import { scenarios } from "../rows";
import type { Result } from "../types";

type Props = { result: Result; value: string; onChange: (scenario: string) => void };

/** Which traffic a chart shows; nothing where there is only one kind. */
export function ScenarioSelect({ result, value, onChange }: Props) {
  const all = scenarios(result);
  if (all.length < 2) return null;
  return (
    <Select
      aria-label="Traffic"
      value={value}
      onChange={onChange}
      options={all.map((one) => ({ value: one, label: one }))}
      className="w-36"
    />
  );
}
