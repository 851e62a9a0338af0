import { loadName, loadText } from "@/format/load";
import { percent } from "@/format";
import type { Intent } from "@/kit";
import { type Choice, isLatency, LATENCIES, longName, measured, quantity, shortName } from "../metrics";
import { valueText } from "../params";
import { gpusDiffer, type Row, reasonOf } from "../rows";
import type { Metric, Result } from "../types";
import { againstBaseline, type SloVerdict, sloVerdict } from "../headline/verdict";
import { operating } from "../table/measures";

const SLO_NOTES: Partial<Record<SloVerdict, string>> = { met: "met", too_close: "too close to say" };
const SLO_INTENTS: Record<SloVerdict, Intent> = { met: "ok", missed: "bad", too_close: "warn" };

/** At most so many side by side, the baseline among them. */
export const MOST = 6;

export type ComparedCell = { text: string; note?: string; intent?: Intent };
export type ComparedRow = {
  name: string;
  /** Differs between the configurations. */
  differs: boolean;
  code?: boolean;
  cells: ComparedCell[];
};
export type ComparedSection = { title: string; rows: ComparedRow[] };

/** The compared experiments, the baseline first. */
export function contenders(rows: readonly Row[], chosen: readonly number[]): Row[] {
  const base = rows.filter((row) => row.kind === "baseline");
  const others = chosen.flatMap((number) =>
    rows.filter((row) => row.number === number && row.kind !== "baseline"),
  );
  return [...base, ...others].slice(0, MOST);
}

/** Rows of the comparison, with differences to the first experiment. */
export function comparison(result: Result, rows: readonly Row[]): ComparedSection[] {
  return [
    { title: "Parameters", rows: parameters(rows) },
    { title: "Outcome", rows: outcome(result, rows) },
    { title: "At the operating point", rows: measures(result, rows) },
  ].filter((section) => section.rows.length > 0);
}

function parameters(rows: readonly Row[]): ComparedRow[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.params)))];
  return names
    .map((name) =>
      line(
        name,
        rows.map((row) => ({ text: valueText(row.params[name]) })),
        true,
      ),
    )
    .sort((a, b) => Number(b.differs) - Number(a.differs));
}

function outcome(result: Result, rows: readonly Row[]): ComparedRow[] {
  return [
    ...result.objectives.map((objective, index) =>
      line(
        longName(objective),
        rows.map(({ standing, kind }): ComparedCell => {
          const score = standing?.scores[index];
          if (!score) return { text: "–" };
          const change = kind === "baseline" ? null : againstBaseline(objective, standing, index);
          const again = standing?.again[index];
          const ends = again && again.low !== null && again.high !== null ? [again.low, again.high] : null;
          const interval = ends?.map((end) => quantity(objective.metric, end)).join(" to ");
          const value = quantity(objective.metric, again?.value ?? score.value);
          return {
            text: interval ? `${value} (${interval})` : value,
            note: change?.interval ? `${change.text}, ${change.interval}` : change?.text,
            intent: change?.intent,
          };
        }),
      ),
    ),
    ...result.slos.map((slo) =>
      line(
        `SLO of ${shortName(slo)}`,
        rows.map(({ standing }): ComparedCell => {
          const bound = standing?.bounds.find((one) => one.name === `${slo.metric}.${slo.statistic}`);
          if (!bound) return { text: "–" };
          return {
            text: quantity(slo.metric, bound.actual_s),
            note: SLO_NOTES[sloVerdict(bound)] ?? `${percent(bound.excess)} over`,
            intent: SLO_INTENTS[sloVerdict(bound)],
          };
        }),
      ),
    ),
    line(
      "Place",
      rows.map(({ standing }) => ({ text: standing?.place == null ? "–" : String(standing.place) })),
    ),
    line(
      "Why not",
      rows.map((row) => {
        const reason = reasonOf(row);
        return { text: reason ?? "–", intent: reason ? "bad" : undefined };
      }),
    ),
  ].filter((row) => row.cells.some((cell) => cell.text !== "–"));
}

function measures(result: Result, rows: readonly Row[]): ComparedRow[] {
  const choices: Choice[] = [
    ...LATENCIES.flatMap((metric) =>
      (["mean", "p90", "p99"] as const).map((statistic) => ({ metric, statistic })),
    ),
    ...(["output_tokens_per_s", "output_tokens_per_s_per_gpu", "requests_per_s", "goodput_per_s"] as const)
      .filter((metric: Metric) => metric !== "output_tokens_per_s_per_gpu" || gpusDiffer(result))
      .map((metric) => ({ metric, statistic: "mean" as const })),
  ];
  const points = rows.map(operating);
  const values = (choice: Choice) =>
    rows.map((row, at) => {
      const point = points[at];
      return point ? measured(point, choice, row.experiment.gpus) : null;
    });
  return [
    line(
      loadName(result.spec.benchmark),
      points.map((point) => ({ text: point ? loadText(point) : "–" })),
    ),
    ...(gpusDiffer(result)
      ? [
          line(
            "GPUs",
            rows.map((row) => ({ text: String(row.experiment.gpus) })),
          ),
        ]
      : []),
    ...choices.map((choice) => {
      const all = values(choice);
      return line(
        longName(choice),
        all.map((value, at) => cell(choice, value, at === 0 ? null : (all[0] ?? null))),
      );
    }),
  ].filter((row) => row.cells.some((one) => one.text !== "–"));
}

function cell({ metric }: Choice, value: number | null, first: number | null): ComparedCell {
  if (value === null) return { text: "–" };
  if (first === null || first <= 0) return { text: quantity(metric, value) };
  const ratio = value / first;
  const good = isLatency(metric) ? ratio < 1 : ratio > 1;
  return {
    text: quantity(metric, value),
    note: percent(ratio - 1, { sign: true }),
    intent: Math.abs(ratio - 1) < 0.01 ? "neutral" : good ? "ok" : "bad",
  };
}

function line(name: string, cells: ComparedCell[], code = false): ComparedRow {
  return { name, code, cells, differs: new Set(cells.map((one) => one.text)).size > 1 };
}
