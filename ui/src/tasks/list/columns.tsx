import { Link } from "react-router";
import { duration, percent } from "@/format";
import { type ColumnDef, cx, Duration, StateBadge, Time } from "@/kit";
import { RowProgress } from "./RowProgress";
import type { Row } from "./rows";

const ORDER: readonly Row["state"][] = ["running", "queued", "created", "completed", "failed", "cancelled"];

const time = (at: string | null) => (at === null ? undefined : Date.parse(at));

function took({ started_at, finished_at }: Row): number | undefined {
  const [from, to] = [time(started_at), time(finished_at)];
  return from === undefined || to === undefined ? undefined : (to - from) / 1000;
}

export const COLUMNS: ColumnDef<Row>[] = [
  {
    id: "name",
    header: "Task",
    size: 120,
    meta: { grow: true },
    accessorKey: "name",
    cell: ({ row: { original: row } }) => (
      <Link to={`/tasks/${row.id}`} className="font-medium hover:underline" title={row.name}>
        {row.name.trim() || "Without a name"}
      </Link>
    ),
  },
  {
    id: "state",
    header: "State",
    size: 116,
    accessorFn: (row) => ORDER.indexOf(row.state),
    cell: ({ row: { original: row } }) => <StateBadge state={row.state} />,
  },
  {
    id: "progress",
    header: "Progress",
    size: 204,
    accessorFn: (row) => row.completed + row.failed,
    cell: ({ row: { original: row } }) => <RowProgress row={row} />,
  },
  {
    id: "gain",
    header: "Gain",
    size: 80,
    meta: { align: "right" },
    accessorFn: (row) => row.gain ?? undefined,
    cell: ({ getValue }) => {
      const gain = getValue<number | undefined>();
      if (gain === undefined) return <span className="text-faint">–</span>;
      return (
        <span className={cx("num", gain > 0 ? "font-semibold text-ok" : "text-muted")}>
          {percent(gain, { sign: true })}
        </span>
      );
    },
  },
  { id: "engine", header: "Engine", size: 112, accessorKey: "engine" },
  {
    id: "model",
    header: "Model",
    size: 200,
    meta: { grow: true },
    accessorKey: "model",
    cell: ({ row: { original: row } }) => (
      <span className="text-muted" title={row.model}>
        {row.model}
      </span>
    ),
  },
  {
    id: "time",
    header: "Time",
    size: 108,
    meta: { align: "right" },
    accessorFn: took,
    cell: ({ row: { original: row }, getValue }) => {
      const seconds = getValue<number | undefined>();
      if (seconds !== undefined) return <span className="num">{duration(seconds)}</span>;
      return row.state === "running" && row.started_at ? (
        <Duration since={row.started_at} />
      ) : (
        <span className="text-faint">–</span>
      );
    },
  },
  {
    id: "created",
    header: "Created",
    size: 116,
    meta: { align: "right" },
    accessorFn: (row) => time(row.created_at),
    cell: ({ row: { original: row } }) => <Time at={row.created_at} className="text-muted" />,
  },
];
