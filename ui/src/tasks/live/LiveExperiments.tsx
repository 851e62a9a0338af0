import { memo, useMemo } from "react";
import type { Schema } from "@/api";
import { duration } from "@/format";
import { quantity, shortName } from "@/format/metrics";
import { Badge, Card, type ColumnDef, cx, Empty, StateBadge, Table } from "@/kit";
import { bestOf } from "@/liveTask/progress";
import type { LiveExperiment } from "@/liveTask/reduce";
import { Configuration } from "./Configuration";

type Props = { task: Schema<"Task">; experiments: readonly LiveExperiment[]; onOpen: () => void };

/** Table of the experiments so far, newest first. Memoized: events of phases and load levels do not change it. */
export const LiveExperiments = memo(function RunsTable({ task, experiments, onOpen }: Props) {
  const objectives = task.spec.optimization.objective;
  // A string, so that the columns stay memoized.
  const best = objectives.map((one, at) => bestOf(experiments, one, at)?.experiment.number ?? "").join();
  const columns = useMemo<ColumnDef<LiveExperiment>[]>(
    () => [
      { id: "number", header: "#", accessorKey: "number", size: 48, meta: { align: "right" } },
      {
        id: "state",
        header: "State",
        size: 118,
        accessorKey: "state",
        cell: ({ row: { original: experiment } }) =>
          experiment.state === "interrupted" ? (
            <Badge intent="warn">Interrupted</Badge>
          ) : (
            <StateBadge state={experiment.state} />
          ),
      },
      ...objectives.map((objective, at): ColumnDef<LiveExperiment> => ({
        id: `value-${at}`,
        header: shortName(objective),
        size: 112,
        meta: { align: "right" },
        accessorFn: (experiment) => experiment.values[at],
        cell: ({ row: { original: experiment } }) => {
          const value = experiment.values[at];
          if (value === undefined) return <span className="text-faint">–</span>;
          return (
            <span
              className={cx(
                String(experiment.number) === best.split(",")[at] && "font-semibold text-ok",
                !experiment.feasible && "text-faint line-through",
              )}
              title={experiment.feasible ? undefined : "Misses a hard limit"}
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
        cell: ({ row: { original: experiment } }) =>
          experiment.failure ? (
            <span className="text-bad" title={experiment.failure}>
              {experiment.failure}
            </span>
          ) : (
            <Configuration experiment={experiment} />
          ),
      },
      {
        id: "time",
        header: "Time",
        size: 84,
        meta: { align: "right" },
        accessorFn: (experiment) => experiment.seconds ?? undefined,
        cell: ({ row: { original: experiment } }) =>
          experiment.seconds === null ? "–" : duration(experiment.seconds),
      },
    ],
    [objectives, best],
  );
  return (
    <Card title="Experiments" padded={false}>
      <Table
        label="Experiments"
        data={experiments}
        columns={columns}
        rowId={(experiment) => String(experiment.number)}
        initialSorting={[{ id: "number", desc: true }]}
        onOpen={onOpen}
        height="max(24rem, calc(100dvh - 38rem))"
        empty={<Empty title="No experiment yet">The first one measures the engine’s defaults.</Empty>}
      />
    </Card>
  );
});
