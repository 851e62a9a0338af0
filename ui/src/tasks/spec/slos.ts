/** SLOs: in a task by metric and statistic, in the form a list. Pure. */

import type { Schema } from "@/api";
import { isObject, type JsonObject } from "@/yaml/document";

export const SLO_METRICS = ["ttft", "tpot", "latency"] as const;
export const SLO_STATISTICS = ["mean", "p50", "p90", "p95", "p99"] as const;

export type SLO = {
  metric: (typeof SLO_METRICS)[number];
  statistic: (typeof SLO_STATISTICS)[number];
  /** In seconds; undefined while the field is empty. */
  threshold?: number;
} & Pick<Schema<"LimitInput">, "hard_fail" | "fail_ratio" | "weight">;

/** Null: not editable in the form. */
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

/** The task's `slo`; `before` has its other keys. Undefined: empty. */
export function slosToSpec(slos: readonly SLO[], before: unknown): JsonObject | undefined {
  const rest = isObject(before) && slos.length > 0 ? { steepness: before.steepness } : {};
  const block: JsonObject = {};
  for (const { metric, statistic, ...limit } of slos) {
    const limits = (block[metric] ??= {}) as JsonObject;
    // A new row has no threshold yet, but is kept.
    limits[statistic] = { threshold: null, ...limit };
  }
  const said = { ...block, ...(rest.steepness === undefined ? {} : rest) };
  return Object.keys(said).length > 0 ? said : undefined;
}

/** An SLO that is not used yet, the most common ones first. */
export function nextSlo(slos: readonly SLO[]): SLO | null {
  for (const statistic of ["p90", "p99", "p95", "p50", "mean"] as const) {
    for (const metric of SLO_METRICS) {
      if (!slos.some((one) => one.metric === metric && one.statistic === statistic))
        return { metric, statistic };
    }
  }
  return null;
}
