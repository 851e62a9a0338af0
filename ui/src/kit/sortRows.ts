import type { ColumnDef, ColumnSort } from "@tanstack/react-table";

const TEXTS = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Rows sorted by a column, stable; rows without a value are last in both directions. Pure. */
export function sortRows<T>(
  data: readonly T[],
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- columns of one table have values of different types
  columns: readonly ColumnDef<T, any>[],
  by: ColumnSort | undefined,
): readonly T[] {
  const value = by && valueOf(columns.find((column) => column.id === by.id));
  if (!value) return data;
  const sign = by.desc ? -1 : 1;
  return data
    .map((row, place) => ({ row, value: value(row, place) }))
    .sort((a, b) => {
      if (a.value == null || b.value == null) return Number(a.value == null) - Number(b.value == null);
      return sign * compared(a.value, b.value);
    })
    .map(({ row }) => row);
}

function valueOf<T>(column: ColumnDef<T> | undefined): ((row: T, place: number) => unknown) | undefined {
  if (!column) return undefined;
  if ("accessorFn" in column) return column.accessorFn;
  return "accessorKey" in column ? (row) => row[column.accessorKey as keyof T] : undefined;
}

function compared(a: unknown, b: unknown): number {
  return typeof a === "number" && typeof b === "number" ? a - b : TEXTS.compare(String(a), String(b));
}
