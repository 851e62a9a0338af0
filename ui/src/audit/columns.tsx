import { argsSummary } from "@/format/argsSummary";
import { isObject } from "@/format/json";
import { Badge, type ColumnDef, Time } from "@/kit";
import type { Entry } from "./entries";
import { actionText, intentOf } from "./filter";

export const columns: ColumnDef<Entry, unknown>[] = [
  {
    id: "at",
    header: "When",
    size: 176,
    enableSorting: false,
    cell: ({ row }) => <Time at={row.original.at} as="full" className="text-muted" />,
  },
  {
    id: "ago",
    header: "When",
    size: 104,
    enableSorting: false,
    cell: ({ row }) => <Time at={row.original.at} className="text-muted" />,
  },
  {
    id: "action",
    header: "What",
    size: 132,
    enableSorting: false,
    cell: ({ row }) => (
      <Badge intent={intentOf(row.original.action)}>{actionText(row.original.action)}</Badge>
    ),
  },
  {
    id: "tool",
    header: "Tool",
    size: 168,
    enableSorting: false,
    cell: ({ row }) => <code className="font-mono text-xs">{row.original.tool ?? "–"}</code>,
  },
  {
    id: "who",
    header: "Who",
    size: 100,
    enableSorting: false,
    cell: ({ row }) => <span className="text-muted">{row.original.who ?? "–"}</span>,
  },
  {
    id: "detail",
    header: "Detail",
    size: 280,
    enableSorting: false,
    meta: { grow: true },
    cell: ({ row }) => <span className="text-muted">{detailText(row.original)}</span>,
  },
];

/** An entry's arguments and details in a line, without the digest. */
function detailText({ detail }: Entry): string {
  const rest = Object.fromEntries(
    Object.entries(detail).filter(([name]) => name !== "digest" && name !== "args"),
  );
  return argsSummary(isObject(detail.args) ? { ...detail.args, ...rest } : rest);
}
