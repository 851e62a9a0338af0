import { axisOf, isRate, METRICS, metricName, quantity, shortName, STATISTICS } from "@/format/metrics";
import type { LoadPoint, Metric, Objective, Statistic } from "./types";

export { METRICS, quantity, shortName, STATISTICS };

export const LATENCIES = ["ttft", "tpot", "itl", "e2e_latency"] as const satisfies readonly Metric[];
export type Latency = (typeof LATENCIES)[number];
/** A metric and which of its values: a rate has one only, its mean. */
export type Choice<M extends Metric = Metric> = { metric: M; statistic: Statistic };

export function isLatency(metric: Metric): metric is Latency {
  return (LATENCIES as readonly Metric[]).includes(metric);
}

/** `Time to first token, p90`; a mean is not called one. */
export function longName({ metric, statistic }: Choice): string {
  return isRate(metric) || statistic === "mean" ? metricName(metric) : `${metricName(metric)}, ${statistic}`;
}

/** Of a column or an axis: `TTFT p90 (ms)`. */
export function axisName(choice: Choice): string {
  return `${shortName(choice)} (${axisOf(choice.metric).unit})`;
}

/** A value in the unit of its axis. */
export function scaled(metric: Metric, value: number): number {
  return value * axisOf(metric).scale;
}

/** Null where a level has none: no token after the first, no TPOT. */
export function measured(point: LoadPoint, { metric, statistic }: Choice, gpus: number): number | null {
  if (isLatency(metric)) return point[metric]?.[statistic] ?? null;
  if (metric === "output_tokens_per_s_per_gpu") return point.output_tokens_per_s / Math.max(1, gpus);
  return point[metric];
}

/** Of a value of `Result`'s SLOs: `ttft.p90`. */
export function parsed(slo: string): Choice<Latency> | null {
  const [metric, statistic] = slo.split(".");
  const found = LATENCIES.find((one) => one === metric);
  const which = STATISTICS.find((one) => one === statistic);
  return found && which ? { metric: found, statistic: which } : null;
}

/** Whether a is better than b, under an objective. */
export function better(objective: Objective, a: number, b: number): boolean {
  return objective.direction === "maximize" ? a > b : a < b;
}
