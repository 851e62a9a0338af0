/** The bounds of a task: in a task file by metric and statistic, in the form a list of rows. Pure. */

import type { Schema } from "@/api";
import { isObject, type JsonObject } from "@/yaml/document";

export const SLO_METRICS = ["ttft", "tpot", "latency"] as const;
export const SLO_STATISTICS = ["mean", "p50", "p90", "p95", "p99"] as const;

export type SLO = {
  metric: (typeof SLO_METRICS)[number];
  statistic: (typeof SLO_STATISTICS)[number];
  /** Seconds; undefined while nothing is typed. */
  threshold?: number;
} & Pick<Schema<"LimitInput">, "hard_fail" | "fail_ratio" | "weight">;

/** Null: something stands there that the form has no field for. */
export function slosOf(raw: unknown): readonly SLO[] | null {
  if (raw === undefined || raw === null) return [];
  if (!isObject(raw)) return null;
  const found: SLO[] = [];
  for (const metric of SLO_METRICS) {
    const limits = raw[metric];
    if (limits === undefined || limits === null) continue;
    if (!isObject(limits)) return null;
    const plain = "threshold" in limits;
    for (const [statistic, limit] of plain ? [["mean", limits] as const] : Object.entries(limits)) {
      const known = SLO_STATISTICS.find((one) => one === statistic);
      if (!known || !isObject(limit)) return null;
      found.push({ metric, statistic: known, ...limitOf(limit) });
    }
  }
  return found;
}

function limitOf(raw: JsonObject): Omit<SLO, "metric" | "statistic"> {
  const number = (name: string) => (typeof raw[name] === "number" ? { [name]: raw[name] } : {});
  return {
    ...number("threshold"),
    ...(raw.hard_fail === true ? { hard_fail: true } : {}),
    ...number("fail_ratio"),
    ...number("weight"),
  };
}

/** The block; `before` has what else stands in it. Undefined: nothing is left to say. */
export function slosToSpec(slos: readonly SLO[], before: unknown): JsonObject | undefined {
  const rest = isObject(before) && slos.length > 0 ? { steepness: before.steepness } : {};
  const block: JsonObject = {};
  for (const { metric, statistic, ...limit } of slos) {
    const limits = (block[metric] ??= {}) as JsonObject;
    // A row that is being added has no bound yet, and still has its place.
    limits[statistic] = { threshold: null, ...limit };
  }
  const said = { ...block, ...(rest.steepness === undefined ? {} : rest) };
  return Object.keys(said).length > 0 ? said : undefined;
}

/** A bound that is not there yet, the most usual ones first. */
export function nextSlo(slos: readonly SLO[]): SLO | null {
  for (const statistic of ["p90", "p99", "p95", "p50", "mean"] as const) {
    for (const metric of SLO_METRICS) {
      if (!slos.some((one) => one.metric === metric && one.statistic === statistic))
        return { metric, statistic };
    }
  }
  return null;
}
