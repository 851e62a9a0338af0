/** Objectives: in a task a name, a mapping or a list of them, in the form a list. Pure. */

import type { Catalog } from "@/api";
import { directionOf, isMetric, isRate, isStatistic, type Objective } from "@/format/metrics";
import { isObject } from "@/yaml/document";

export const DEFAULT_OBJECTIVE: Objective = {
  metric: "output_tokens_per_s",
  statistic: "mean",
  direction: "maximize",
};
export const MOST = 3;

/** Objectives that a task may give by name. */
type Named = Catalog["objectives"];

/** Null: not editable in the form. */
export function objectivesOf(raw: unknown, named: Named): readonly Objective[] | null {
  if (raw === undefined || raw === null) return [DEFAULT_OBJECTIVE];
  const all = (Array.isArray(raw) ? (raw as unknown[]) : [raw]).map((each) => one(each, named));
  return all.every((found) => found !== null) ? all : null;
}

function one(raw: unknown, named: Named): Objective | null {
  if (typeof raw === "string") return named.find(({ name }) => name === raw)?.objective ?? null;
  if (!isObject(raw) || !isMetric(raw.metric)) return null;
  return objective(raw.metric, isStatistic(raw.statistic) ? raw.statistic : "mean");
}

/** A rate has one value a load level. */
export function objective(metric: Objective["metric"], statistic: Objective["statistic"]): Objective {
  return { metric, statistic: isRate(metric) ? "mean" : statistic, direction: directionOf(metric) };
}

export function objectivesToSpec(objectives: readonly Objective[], named: Named): unknown {
  const all = objectives.map((each) => saidOne(each, named));
  return all.length === 1 ? all[0] : all;
}

function saidOne({ metric, statistic, direction }: Objective, named: Named): unknown {
  const same = named.find(({ objective: other }) => other.metric === metric && other.statistic === statistic);
  return same?.name ?? { metric, ...(statistic === "mean" ? {} : { statistic }), direction };
}
