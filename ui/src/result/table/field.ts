import type { Intent } from "@/kit";
import type { Row } from "../rows";
import type { Value } from "../types";

/** What a cell says, and what it is sorted by. */
export type Cell = { text: string; sort: Value | undefined; intent?: Intent };
export type Group = "Experiment" | "Outcome" | "Parameters" | "At the operating point" | "Timing";

/** A column of the experiments, apart from how it is drawn. */
export type Field = {
  id: string;
  header: string;
  group: Group;
  width: number;
  numeric: boolean;
  /** Shown unless the reader chooses. */
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

/** Of a column, in pixels, so that its header fits with the arrow of sorting. */
export function widthOf(header: string): number {
  return Math.max(104, 48 + header.length * 6.6);
}

export function numberCell(value: number | null | undefined, text: (value: number) => string): Cell {
  return value == null ? EMPTY_CELL : { text: text(value), sort: value };
}
