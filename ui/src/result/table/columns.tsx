import { type ColumnDef, Checkbox, cx, TEXT_CLASS } from "@/kit";
import type { Row } from "../rows";
import type { Field } from "./field";
import { KindMark } from "./KindMark";

type Choosing = {
  compared: readonly number[];
  most: number;
  onCompare: (number: number, on: boolean) => void;
};

/** The table's columns: a box to compare, the number with what it is, and the fields. */
export function columns(
  fields: readonly Field[],
  { compared, most, onCompare }: Choosing,
): ColumnDef<Row, unknown>[] {
  return [
    {
      id: "compare",
      header: () => <span className="sr-only">Compare</span>,
      size: 40,
      enableSorting: false,
      cell: ({ row: { original } }) => (
        <Checkbox
          aria-label={`Compare experiment ${original.number}`}
          checked={compared.includes(original.number)}
          disabled={!compared.includes(original.number) && compared.length >= most}
          onChange={(on) => onCompare(original.number, on)}
          className="align-middle"
        />
      ),
    },
    {
      id: "number",
      header: "#",
      sortDescFirst: false,
      size: 168,
      accessorFn: (row) => row.number,
      cell: ({ row: { original } }) => <KindMark row={original} />,
    },
    ...fields.map((field): ColumnDef<Row, unknown> => ({
      id: field.id,
      header: field.header,
      sortDescFirst: false,
      size: field.width,
      accessorFn: (row) => field.cell(row).sort,
      meta: {
        ...(field.numeric ? { align: "right" } : {}),
        ...(field.id === "reason" ? { grow: true } : {}),
      },
      cell: ({ row: { original } }) => {
        const { text, intent } = field.cell(original);
        const faint = text === "default" || text === "–";
        return (
          <span
            title={field.id === "reason" ? text : undefined}
            className={cx("num", faint ? "text-faint" : intent && TEXT_CLASS[intent])}
          >
            {text}
          </span>
        );
      },
    })),
  ];
}
