import { memo, useMemo } from "react";
import type { Schema } from "@/api";
import { duration } from "@/format";
import { quantity, shortName } from "@/format/metrics";
import { Badge, Card, type ColumnDef, cx, Empty, StateBadge, Table } from "@/kit";
import { Configuration } from "./Configuration";
import { bestOf } from "./progress";
import type { LiveExperiment } from "./reduce";

type Props = { task: Schema<"Task">; runs: readonly LiveExperiment[]; onOpen: () => void };

/** The experiments so far, the newest first. Phases and load levels, which come often, change nothing of it. */
export const LiveExperiments = memo(function RunsTable({ task, runs, onOpen }: Props) {
  const objectives = task.spec.optimization.objective;
  // A text, so that columns stay the same as long as no better one is found.
  const best = objectives.map((one, at) => bestOf(runs, one, at)?.run.number ?? "").join();
  const columns = useMemo<ColumnDef<LiveExperiment>[]>(
    () => [
      { id: "number", header: "#", accessorKey: "number", size: 48, meta: { align: "right" } },
      {
        id: "state",
        header: "State",
        size: 118,
        accessorKey: "state",
        cell: ({ row: { original: run } }) =>
          run.state === "interrupted" ? (
            <Badge intent="warn">Interrupted</Badge>
          ) : (
            <StateBadge state={run.state} />
          ),
      },
      ...objectives.map((objective, at): ColumnDef<LiveExperiment> => ({
        id: `value-${at}`,
        header: shortName(objective),
        size: 112,
        meta: { align: "right" },
        accessorFn: (run) => run.values[at],
        cell: ({ row: { original: run } }) => {
          const value = run.values[at];
          if (value === undefined) return <span className="text-faint">–</span>;
          return (
            <span
              className={cx(
                String(run.number) === best.split(",")[at] && "font-semibold text-ok",
                !run.feasible && "text-faint line-through",
              )}
              title={run.feasible ? undefined : "Misses a hard limit"}
            >
              {quantity(objective.metric, value)}
            </span>
          );
        },
      })),
      {
        id: "params",
        header: "Configuration",
        size: 130,
        meta: { grow: true },
        enableSorting: false,
        cell: ({ row: { original: run } }) =>
          run.failure ? (
            <span className="text-bad" title={run.failure}>
              {run.failure}
            </span>
          ) : (
            <Configuration run={run} />
          ),
      },
      {
        id: "time",
        header: "Time",
        size: 84,
        meta: { align: "right" },
        accessorFn: (run) => run.seconds ?? undefined,
        cell: ({ row: { original: run } }) => (run.seconds === null ? "–" : duration(run.seconds)),
      },
    ],
    [objectives, best],
  );
  return (
    <Card title="Experiments" padded={false}>
      <Table
        label="Experiments"
        data={runs}
        columns={columns}
        rowId={(run) => String(run.number)}
        initialSorting={[{ id: "number", desc: true }]}
        onOpen={onOpen}
        height="max(24rem, calc(100dvh - 38rem))"
        empty={<Empty title="No experiment yet">The first one measures the engine’s defaults.</Empty>}
      />
    </Card>
  );
});
