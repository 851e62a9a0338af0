/** Metrics: names, units and formatted values. Pure. */

import type { Schema } from "@/api";
import { number } from "./number";
import { latency, requestRate, tokenRate } from "./unit";

export type Metric = Schema<"Metric">;
export type Statistic = NonNullable<Schema<"ObjectiveInput">["statistic"]>;
export type Objective = Pick<Schema<"Objective">, "metric" | "statistic" | "direction">;

type Kind = "time" | "tokens" | "requests";
const OF: Record<Metric, { name: string; short: string; kind: Kind }> = {
  output_tokens_per_s: { name: "Output tokens per second", short: "Output", kind: "tokens" },
  output_tokens_per_s_per_gpu: {
    name: "Output tokens per second and GPU",
    short: "Output per GPU",
    kind: "tokens",
  },
  total_tokens_per_s: { name: "All tokens per second", short: "Tokens", kind: "tokens" },
  requests_per_s: { name: "Requests per second", short: "Requests", kind: "requests" },
  goodput_per_s: { name: "Requests per second within the SLOs", short: "Goodput", kind: "requests" },
  ttft: { name: "Time to first token", short: "TTFT", kind: "time" },
  tpot: { name: "Time per output token", short: "TPOT", kind: "time" },
  itl: { name: "Time between tokens", short: "ITL", kind: "time" },
  e2e_latency: { name: "End-to-end latency", short: "Latency", kind: "time" },
};

export const METRICS = Object.keys(OF) as Metric[];
export const STATISTICS: readonly Statistic[] = ["mean", "p50", "p90", "p95", "p99", "min", "max"];

export const isMetric = (value: unknown): value is Metric => typeof value === "string" && value in OF;
export const isStatistic = (value: unknown): value is Statistic => STATISTICS.some((one) => one === value);
export const metricName = (metric: Metric): string => OF[metric].name;
export const isRate = (metric: Metric): boolean => OF[metric].kind !== "time";
export const directionOf = (metric: Metric): Objective["direction"] =>
  isRate(metric) ? "maximize" : "minimize";

/** `TTFT p90`, `Output`. */
export function shortName({ metric, statistic }: Pick<Objective, "metric" | "statistic">): string {
  return isRate(metric) || statistic === "mean" ? OF[metric].short : `${OF[metric].short} ${statistic}`;
}

/** A measured value with its unit: `84.2 ms`, `1,234 tok/s`. */
export function quantity(metric: Metric, value: number): string {
  if (metric === "output_tokens_per_s_per_gpu") return `${number(value)} tok/s/GPU`;
  return { time: latency, tokens: tokenRate, requests: requestRate }[OF[metric].kind](value);
}

/** Unit of an axis or column, and the factor for the service's values. */
export function axisOf(metric: Metric): { unit: string; scale: number } {
  return {
    time: { unit: "ms", scale: 1000 },
    tokens: { unit: "tok/s", scale: 1 },
    requests: { unit: "req/s", scale: 1 },
  }[OF[metric].kind];
}
