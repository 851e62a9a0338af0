/** The load levels of an experiment: measured, being measured, or to come. Pure. */

import { type Load } from "@/format/load";
import type { Schema } from "@/api";
import { number } from "@/format";
import { axisOf, type Metric, quantity, shortName } from "@/format/metrics";
import type { LoadPoint, CurrentExperiment } from "./reduce";

export type LoadLevel = {
  scenario: string;
  concurrency: number;
  rate: number | null;
  point: LoadPoint | null;
  measuring: boolean;
};

export function levelsOf(
  { traffic_scenarios, num_concurrency, request_rate }: Schema<"BenchmarkConfig">,
  now: CurrentExperiment | null,
): LoadLevel[] {
  const rising = (values: readonly number[]) => [...values].sort((a, b) => a - b);
  const closed: Load[] = rising(num_concurrency).map((concurrency) => ({ concurrency, rate: null }));
  const rates: Load[] = rising(request_rate).map((rate) => ({ concurrency: 0, rate }));
  const open = rates.length > 0 ? rates : [{ concurrency: 0, rate: null }];
  return traffic_scenarios.flatMap((scenario) =>
    (closed.length > 0 ? closed : open).map(({ concurrency, rate }) => {
      const here = (one: { scenario: string | null; concurrency: number | null; rate?: number | null }) =>
        one.scenario === scenario && one.concurrency === concurrency && (one.rate ?? null) === rate;
      const point = now?.points.find(here) ?? null;
      return { scenario, concurrency, rate, point, measuring: point === null && now !== null && here(now) };
    }),
  );
}

/** A column of the load levels: name, unit and value; `missed`: the SLO that the value exceeds. */
export type LevelColumn = {
  name: string;
  unit: string;
  value: (point: LoadPoint) => string;
  missed: (point: LoadPoint) => string | null;
};

const TIMES = { ttft: "ttft", tpot: "tpot", e2e_latency: "latency" } as const;

/** Throughput, and of each latency the statistic of its SLO, else p90. */
export function levelColumns(slo: Schema<"SLOConfig"> | null): LevelColumn[] {
  const times = Object.entries(TIMES).map(([metric, block]) =>
    timed(metric as keyof typeof TIMES, slo?.[block] ?? null),
  );
  return [rate("output_tokens_per_s"), ...times];
}

function rate(metric: "output_tokens_per_s"): LevelColumn {
  return {
    name: shortName({ metric, statistic: "mean" }),
    ...inUnit(metric, (point) => point[metric]),
    missed: () => null,
  };
}

type Bound = { statistic: "mean" | "p50" | "p90" | "p95" | "p99"; threshold: number };

function timed(
  metric: keyof typeof TIMES,
  limits: Schema<"Limit"> | Schema<"LimitByStatistic"> | null,
): LevelColumn {
  const bound = boundOf(limits);
  const statistic = bound?.statistic ?? "p90";
  return {
    name: shortName({ metric, statistic }),
    ...inUnit(metric, (point) => point[metric]?.[statistic]),
    missed: (point) => {
      const value = point[metric]?.[statistic];
      return bound && value !== undefined && value > bound.threshold
        ? `above the limit of ${quantity(metric, bound.threshold)}`
        : null;
    },
  };
}

/** Of several SLOs of one latency the highest percentile. */
function boundOf(limits: Schema<"Limit"> | Schema<"LimitByStatistic"> | null): Bound | null {
  if (limits === null) return null;
  if ("threshold" in limits) return { statistic: "mean", threshold: limits.threshold };
  const found = (["mean", "p50", "p90", "p95", "p99"] as const).findLast((one) => limits[one]);
  const threshold = found && limits[found]?.threshold;
  return found && threshold !== undefined ? { statistic: found, threshold } : null;
}

function inUnit(
  metric: Metric,
  of: (point: LoadPoint) => number | undefined,
): Pick<LevelColumn, "unit" | "value"> {
  const { unit, scale } = axisOf(metric);
  return {
    unit,
    value: (point) => {
      const value = of(point);
      return value === undefined ? "–" : number(value * scale);
    },
  };
}
