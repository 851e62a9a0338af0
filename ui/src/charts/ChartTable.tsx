import { useMemo } from "react";
import { type ColumnDef, Table } from "@/kit";

type Cells = readonly (string | number | null)[];
/** A chart's data as a table. */
export type Rows = { columns: readonly string[]; rows: readonly Cells[] };

/** The first column is the row's header. */
const NAME_PX = 160;
const COLUMN_PX = 110;

export function ChartTable({ label, columns, rows }: Rows & { label: string }) {
  const lines = useMemo(() => rows.map((cells, place) => ({ id: String(place), cells })), [rows]);
  const made = useMemo(
    () =>
      columns.map((name, at): ColumnDef<(typeof lines)[number]> => ({
        id: String(at),
        header: name,
        size: at === 0 ? NAME_PX : COLUMN_PX,
        meta: { grow: at > 0 },
        accessorFn: ({ cells }) => cells[at] ?? undefined,
        cell: (info) => info.getValue() ?? "–",
      })),
    [columns],
  );
  return <Table label={label} data={lines} columns={made} rowId={(line) => line.id} height="100%" />;
}
