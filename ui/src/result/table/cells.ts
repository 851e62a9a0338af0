import type { Tone } from "@/kit";
import { againstBaseline } from "../headline/headline";
import { axisName, type Choice, isLatency, measured, METRICS, quantity } from "../metrics";
import { compareValues, valueText } from "../params";
import { gpusDiffer, type Row, searched } from "../rows";
import type { LoadPoint, Result, Value } from "../types";

/** What a cell says, and what it is sorted by. */
export type Cell = { text: string; sort: Value | undefined; tone?: Tone };
export type Group = "Experiment" | "Outcome" | "Parameters" | "At the operating point" | "Course";

/** A column of the experiments, apart from how it is drawn. */
export type Field = {
  id: string;
  header: string;
  group: Group;
  width: number;
  numeric: boolean;
  /** Shown unless the reader chooses. */
  usual: boolean;
  cell: (row: Row) => Cell;
};

const NOTHING: Cell = { text: "–", sort: undefined };

/** Every column there is for a result, in the order they stand. */
export function fields(result: Result): Field[] {
  const differ = gpusDiffer(result);
  const judged = result.standings.some((one) => one.place !== null);
  const reason = field("reason", "Reason", "Outcome", 280, false, (row) => ({
    text: row.standing?.reason ?? "",
    sort: row.standing?.reason ?? undefined,
    tone: "bad",
  }));
  return [
    // Where nothing could be judged, why is all there is to know.
    ...(judged ? [] : [reason]),
    field("place", "Place", "Outcome", 88, true, (row) => numberCell(row.standing?.place ?? undefined, String)),
    ...result.objectives.map((objective, index) =>
      field(`objective-${index}`, axisName(objective), "Outcome", 160, true, (row) => {
        const value = row.standing?.scores[index]?.value;
        return numberCell(value, (one) => quantity(objective.metric, one));
      }),
    ),
    field("against", "vs baseline", "Outcome", 124, true, (row) =>
      row.kind === "baseline" ? NOTHING : againstCell(result, row),
    ),
    field("slo", "SLOs", "Outcome", 116, false, sloCell, result.slos.length > 0),
    field("load", "Load", "At the operating point", 84, true, (row) => numberCell(operating(row)?.concurrency, String)),
    field("gpus", "GPUs", "Experiment", 84, true, (row) => numberCell(row.experiment.gpus, String), differ),
    ...searched(result).map((name) =>
      field(`param-${name}`, name, "Parameters", Math.min(240, 56 + name.length * 7.2), isNumeric(result, name), (row) => ({
        text: valueText(row.params[name]),
        sort: row.params[name],
      })),
    ),
    ...measures(result, differ).map(measure),
    field("start", "Start (s)", "Course", 84, true, (row) => numberCell(row.experiment.start_s ?? undefined, (one) => one.toFixed(1)), false),
    field("wall", "Took (s)", "Course", 84, true, (row) => numberCell(row.experiment.wall_s ?? undefined, (one) => one.toFixed(0)), false),
    field("attempt", "Attempt", "Course", 76, true, (row) => numberCell(row.experiment.attempt, String), false),
    ...(judged ? [reason] : []),
  ];
}

function field(id: string, header: string, group: Group, width: number, numeric: boolean, cell: Field["cell"], usual = true): Field {
  return { id, header, group, width, numeric, usual, cell };
}

function numberCell(value: number | null | undefined, text: (value: number) => string): Cell {
  return value == null ? NOTHING : { text: text(value), sort: value };
}

function againstCell({ objectives: [objective] }: Result, { standing }: Row): Cell {
  const ratio = standing?.relative_to_baseline[0];
  const change = objective && againstBaseline(objective, ratio);
  return change ? { ...change, sort: ratio } : NOTHING;
}

function sloCell({ standing }: Row): Cell {
  if (!standing || standing.bounds.length === 0) return NOTHING;
  const worst = Math.max(...standing.bounds.map((bound) => bound.excess));
  const missed = standing.bounds.filter((bound) => !bound.met);
  if (missed.length === 0) return { text: "met", sort: worst };
  const hard = missed.some((bound) => bound.hard);
  return { text: `${missed.length} missed`, sort: worst, tone: hard ? "bad" : "warn" };
}

/** The load level at which an experiment was judged, of its first kind of traffic. */
export function operating({ experiment, standing }: Row): LoadPoint | undefined {
  const at = standing?.scores[0]?.points[0];
  return at && experiment.points.find((point) => point.scenario === at.scenario && point.concurrency === at.concurrency);
}

function measures(result: Result, differ: boolean): (Choice & { usual: boolean })[] {
  const bound = result.slos.map((slo) => ({ metric: slo.metric, statistic: slo.statistic }));
  const usual = new Set(bound.map(axisName));
  const objective = new Set(result.objectives.map(axisName));
  const all = [
    ...bound,
    ...METRICS.flatMap((metric): Choice[] =>
      isLatency(metric) ? [{ metric, statistic: "mean" }, { metric, statistic: "p90" }, { metric, statistic: "p99" }] : [{ metric, statistic: "mean" }],
    ),
  ].filter((choice) => differ || choice.metric !== "output_tokens_per_s_per_gpu");
  const unique = new Map(all.map((choice) => [axisName(choice), choice]));
  return [...unique]
    .filter(([name, choice]) => !objective.has(name) || isLatency(choice.metric))
    .map(([name, choice]) => ({ ...choice, usual: usual.has(name) || (differ && choice.metric === "output_tokens_per_s") }));
}

function measure(choice: Choice & { usual: boolean }): Field {
  return field(
    `measure-${choice.metric}.${choice.statistic}`,
    axisName(choice),
    "At the operating point",
    Math.max(112, 52 + axisName(choice).length * 6.6),
    true,
    (row) => {
      const point = operating(row);
      return numberCell(point && measured(point, choice, row.experiment.gpus), (one) => quantity(choice.metric, one));
    },
    choice.usual,
  );
}

function isNumeric(result: Result, name: string): boolean {
  return result.standings.every(({ params }) => {
    const value = params.flags[name] ?? params.env[name] ?? params.parallel[name] ?? params.quant[name];
    return value === undefined || typeof value === "number";
  });
}

/** The baseline stays on top, and what has no value at the end, whichever way the others go. */
export function sorted(rows: readonly Row[], by: { id: string; desc: boolean } | undefined, all: readonly Field[]): Row[] {
  const column = all.find((one) => one.id === by?.id);
  const key = (row: Row) => (by?.id === "number" ? row.number : column?.cell(row).sort);
  const sign = by?.desc ? -1 : 1;
  return [...rows].sort((a, b) => {
    const pinned = Number(b.kind === "baseline") - Number(a.kind === "baseline");
    if (pinned !== 0) return pinned;
    const [x, y] = [key(a), key(b)];
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined) || a.number - b.number;
    return sign * compareValues(x, y) || a.number - b.number;
  });
}
