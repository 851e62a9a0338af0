import { compareValues } from "../params";
import type { Row } from "../rows";
import type { Field } from "./field";

/** Sorted rows: the baseline first, rows without a value last, in both directions. */
export function sorted(
  rows: readonly Row[],
  by: { id: string; desc: boolean } | undefined,
  all: readonly Field[],
): Row[] {
  const column = all.find((one) => one.id === by?.id);
  const key = (row: Row) => (by?.id === "number" ? row.number : column?.cell(row).sort);
  const sign = by?.desc ? -1 : 1;
  return [...rows].sort((a, b) => {
    const pinned = Number(b.kind === "baseline") - Number(a.kind === "baseline");
    if (pinned !== 0) return pinned;
    const [x, y] = [key(a), key(b)];
    if (x === undefined || y === undefined)
      return Number(x === undefined) - Number(y === undefined) || a.number - b.number;
    return sign * compareValues(x, y) || a.number - b.number;
  });
}
