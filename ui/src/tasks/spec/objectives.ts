/** Objectives: in a task a name, a mapping or a list of them, in the form a list. Pure. */

import { NAMED_OBJECTIVES } from "@/api/catalog";
import { directionOf, isMetric, isRate, isStatistic, type Objective } from "@/format/metrics";
import { isObject } from "@/yaml/document";

export const DEFAULT_OBJECTIVE: Objective = {
  metric: "output_tokens_per_s",
  statistic: "mean",
  direction: "maximize",
};
export const MOST = 3;

/** Null: not editable in the form. */
export function objectivesOf(raw: unknown): readonly Objective[] | null {
  if (raw === undefined || raw === null) return [DEFAULT_OBJECTIVE];
  const all = (Array.isArray(raw) ? (raw as unknown[]) : [raw]).map(one);
  return all.every((found) => found !== null) ? all : null;
}

function one(raw: unknown): Objective | null {
  if (typeof raw === "string") return NAMED_OBJECTIVES[raw] ?? null;
  if (!isObject(raw) || !isMetric(raw.metric)) return null;
  return objective(raw.metric, isStatistic(raw.statistic) ? raw.statistic : "mean");
}

/** A rate has one value a load level. */
export function objective(metric: Objective["metric"], statistic: Objective["statistic"]): Objective {
  return { metric, statistic: isRate(metric) ? "mean" : statistic, direction: directionOf(metric) };
}

export function objectivesToSpec(objectives: readonly Objective[]): unknown {
  const all = objectives.map(saidOne);
  return all.length === 1 ? all[0] : all;
}

function saidOne({ metric, statistic, direction }: Objective): unknown {
  const named = Object.entries(NAMED_OBJECTIVES).find(
    ([, other]) => other.metric === metric && other.statistic === statistic,
  );
  if (named) return named[0];
  return { metric, ...(statistic === "mean" ? {} : { statistic }), direction };
}
