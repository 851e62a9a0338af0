import { expect, test } from "vitest";
import { sortRows } from "./sortRows";

type Row = { name: string; rate: number | null };
const ROWS: Row[] = [
  { name: "run 10", rate: 3 },
  { name: "Run 2", rate: null },
  { name: "éclair", rate: 20 },
  { name: "run 10", rate: 3.5 },
];
const COLUMNS = [
  { id: "name", accessorKey: "name" as const },
  { id: "rate", accessorFn: (row: Row) => row.rate ?? undefined },
  { id: "act" },
];
const by = (id: string, desc: boolean) =>
  sortRows(ROWS, COLUMNS, { id, desc }).map((row) => ROWS.indexOf(row));

test("texts are in the order of a dictionary, numbers in them by their size, equal ones as they came", () => {
  expect(by("name", false)).toEqual([2, 1, 0, 3]);
  expect(by("name", true)).toEqual([0, 3, 1, 2]);
});

test("numbers are in the order of their size, and what has none is last, up and down", () => {
  expect(by("rate", false)).toEqual([0, 3, 2, 1]);
  expect(by("rate", true)).toEqual([2, 3, 0, 1]);
});

test("by nothing, or by a column without values, they stay as they came", () => {
  expect(sortRows(ROWS, COLUMNS, undefined)).toBe(ROWS);
  expect(sortRows(ROWS, COLUMNS, { id: "act", desc: true })).toBe(ROWS);
});
