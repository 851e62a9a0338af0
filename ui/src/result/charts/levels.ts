import { loadOf } from "@/format/load";
import { type Choice, type Latency, measured, parsed, quantity, scaled } from "../metrics";
import { gpusDiffer, type Row } from "../rows";
import type { Metric, Result } from "../types";

/** A load level of an experiment as a point of a chart. */
export type LevelPoint = { number: number; load: number; x: number; y: number };

/** The default latency of charts: of the binding SLO, else of an SLO, else of an objective. */
export function usualLatency(result: Result): Choice<Latency> {
  const leading = result.standings.find((one) => one.number === (result.winner ?? result.nearest));
  const binding = leading?.binding ? parsed(leading.binding) : null;
  const first = result.slos[0] && parsed(`${result.slos[0].metric}.${result.slos[0].statistic}`);
  const aim = result.objectives
    .map((one) => parsed(`${one.metric}.${one.statistic}`))
    .find((one) => one !== null);
  return binding ?? first ?? aim ?? { metric: "e2e_latency", statistic: "mean" };
}

export function usualRate(result: Result): Metric {
  return gpusDiffer(result) ? "output_tokens_per_s_per_gpu" : "output_tokens_per_s";
}

/** Throughput over latency, of every valid level. */
export function levels(rows: readonly Row[], scenario: string, latency: Choice, rate: Metric): LevelPoint[] {
  return rows.flatMap(({ number, experiment }) =>
    experiment.points
      .filter((point) => point.scenario === scenario && point.failure === null)
      .flatMap((point) => {
        const x = measured(point, latency, experiment.gpus);
        const y = measured(point, { metric: rate, statistic: "mean" }, experiment.gpus);
        if (x === null || y === null) return [];
        return [{ number, load: loadOf(point), x: scaled(latency.metric, x), y: scaled(rate, y) }];
      })
      .sort((a, b) => a.load - b.load),
  );
}

/** The levels that no other beats in throughput without being slower, from left to right. */
export function upperLeft(cloud: readonly LevelPoint[]): LevelPoint[] {
  const front: LevelPoint[] = [];
  for (const level of [...cloud].sort((a, b) => a.x - b.x || b.y - a.y)) {
    const last = front.at(-1);
    if (!last || level.y > last.y) front.push(level);
  }
  return front;
}

/** An SLO as a line in a chart. */
export type Limit = { at: number; name: string };

export function limits(result: Result, { metric, statistic }: Choice): Limit[] {
  return result.slos
    .filter((slo) => slo.metric === metric && slo.statistic === statistic)
    .map(({ threshold, hard }) => ({
      at: scaled(metric, threshold),
      name: `${hard ? "SLO" : "soft SLO"} ${quantity(metric, threshold)}`,
    }));
}

/** Whether the values are so far apart that a logarithmic axis is better. */
export function spansDecades(values: readonly number[], times = 20): boolean {
  const positive = values.filter((value) => value > 0);
  return (
    positive.length === values.length &&
    positive.length > 1 &&
    Math.max(...positive) > times * Math.min(...positive)
  );
}
