import { type Choice, measured, scaled } from "../metrics";
import { repeatsOf, type Row } from "../rows";
import type { Result } from "../types";
import { type Limit, limits } from "./levels";

/** Mean, minimum and maximum of a configuration's measurements at a concurrency. */
export type Spread = { concurrency: number; mean: number; low: number; high: number; count: number };
export type LoadCurves = {
  choice: Choice;
  lines: { row: Row; spreads: Spread[] }[];
  bounds: Limit[];
};

/** A metric over concurrency, with the spread of repeated measurements. */
export function loadCurves(
  result: Result,
  rows: readonly Row[],
  scenario: string,
  choice: Choice,
): LoadCurves {
  return {
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
      found.set(point.concurrency, [...(found.get(point.concurrency) ?? []), scaled(choice.metric, value)]);
    }
  }
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([concurrency, values]) => ({
      concurrency,
      mean: values.reduce((sum, value) => sum + value, 0) / values.length,
      low: Math.min(...values),
      high: Math.max(...values),
      count: values.length,
    }));
}
