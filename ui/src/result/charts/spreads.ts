import { loadName, loadOf } from "@/format/load";
import { type Choice, measured, scaled } from "../metrics";
import { repeatsOf, type Row } from "../rows";
import type { Result } from "../types";
import { type Limit, limits } from "./levels";

/** Mean, minimum and maximum of a configuration's measurements at a load. */
export type Spread = { load: number; mean: number; low: number; high: number; count: number };
export type LoadCurves = {
  /** What rises from level to level. */
  load: string;
  choice: Choice;
  lines: { row: Row; spreads: Spread[] }[];
  bounds: Limit[];
};

/** A metric over the load, with the spread of repeated measurements. */
export function loadCurves(
  result: Result,
  rows: readonly Row[],
  scenario: string,
  choice: Choice,
): LoadCurves {
  return {
    load: loadName(result.spec.benchmark),
    choice,
    lines: rows.map((row) => ({ row, spreads: spreads(result, row, scenario, choice) })),
    bounds: limits(result, choice),
  };
}

export function spreads(result: Result, row: Row, scenario: string, choice: Choice): Spread[] {
  const found = new Map<number, number[]>();
  for (const experiment of repeatsOf(result, row.number)) {
    for (const point of experiment.points) {
      const value = measured(point, choice, experiment.gpus);
      if (point.scenario !== scenario || point.failure !== null || value === null) continue;
      const load = loadOf(point);
      found.set(load, [...(found.get(load) ?? []), scaled(choice.metric, value)]);
    }
  }
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([load, values]) => ({
      load,
      mean: values.reduce((sum, value) => sum + value, 0) / values.length,
      low: Math.min(...values),
      high: Math.max(...values),
      count: values.length,
    }));
}
