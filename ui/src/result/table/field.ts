import type { Intent } from "@/kit";
import type { Row } from "../rows";
import type { Value } from "../types";

/** Text and sort key of a cell. */
export type Cell = { text: string; sort: Value | undefined; intent?: Intent };
export type Group = "Experiment" | "Outcome" | "Parameters" | "At the operating point" | "Timing";

/** A column of the experiments' table. */
export type Field = {
  id: string;
  header: string;
  group: Group;
  width: number;
  numeric: boolean;
  /** Shown by default. */
  shown: boolean;
  cell: (row: Row) => Cell;
};

export const EMPTY_CELL: Cell = { text: "–", sort: undefined };

export function field(
  id: string,
  header: string,
  group: Group,
  width: number,
  numeric: boolean,
  cell: Field["cell"],
  shown = true,
): Field {
  return { id, header, group, width, numeric, shown, cell };
}

/** Width of a column in pixels, for its header and the sort arrow. */
export function widthOf(header: string): number {
  return Math.max(104, 48 + header.length * 6.6);
}

export function numberCell(value: number | null | undefined, text: (value: number) => string): Cell {
  return value == null ? EMPTY_CELL : { text: text(value), sort: value };
}
