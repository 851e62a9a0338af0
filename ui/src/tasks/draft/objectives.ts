/** What a task is to improve: as a name, a block, or a list of them; in the form always a list. Pure. */

import { directionOf, isMetric, isRate, isStatistic, type Objective } from "../metrics";
import { isBlock } from "./yaml";

const NAMED: Record<string, Objective> = {
  maximize_throughput: { metric: "output_tokens_per_s", statistic: "mean", direction: "maximize" },
  minimize_latency: { metric: "e2e_latency", statistic: "mean", direction: "minimize" },
  minimize_ttft: { metric: "ttft", statistic: "mean", direction: "minimize" },
  minimize_tpot: { metric: "tpot", statistic: "mean", direction: "minimize" },
};
export const USUAL: Objective = { metric: "output_tokens_per_s", statistic: "mean", direction: "maximize" };
export const MOST = 3;

/** Null: something stands there that the form has no field for. */
export function objectivesOf(raw: unknown): readonly Objective[] | null {
  if (raw === undefined || raw === null) return [USUAL];
  const all = (Array.isArray(raw) ? (raw as unknown[]) : [raw]).map(one);
  return all.every((found) => found !== null) ? all : null;
}

function one(raw: unknown): Objective | null {
  if (typeof raw === "string") return NAMED[raw] ?? null;
  if (!isBlock(raw) || !isMetric(raw.metric)) return null;
  return objective(raw.metric, isStatistic(raw.statistic) ? raw.statistic : "mean");
}

/** A rate has one value a load level. */
export function objective(metric: Objective["metric"], statistic: Objective["statistic"]): Objective {
  return { metric, statistic: isRate(metric) ? "mean" : statistic, direction: directionOf(metric) };
}

export function saidObjectives(objectives: readonly Objective[]): unknown {
  const all = objectives.map(saidOne);
  return all.length === 1 ? all[0] : all;
}

function saidOne({ metric, statistic, direction }: Objective): unknown {
  const named = Object.entries(NAMED).find(
    ([, other]) => other.metric === metric && other.statistic === statistic,
  );
  if (named) return named[0];
  return { metric, ...(statistic === "mean" ? {} : { statistic }), direction };
}
