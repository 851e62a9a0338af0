/** Progress, remaining time and best experiment of a running task. Pure. */

import type { Objective } from "@/format/metrics";
import type { LiveTask, LiveExperiment } from "./reduce";

export const hasEnded = (experiment: LiveExperiment): boolean =>
  experiment.state === "completed" || experiment.state === "failed";

export type Completion = {
  done: number;
  failed: number;
  /** The most experiments there will be; null: unknown. */
  total: number | null;
  /** Remaining seconds, estimated from the experiments so far; null: none has ended. */
  leftS: number | null;
};

export function completionOf(
  { experiments, state }: LiveTask,
  planned: number | null,
  nowMs: number,
): Completion {
  const past = experiments.filter(hasEnded);
  const done = past.length;
  const total = planned === null ? null : Math.max(planned, experiments.length);
  const took = past.flatMap((experiment) => (experiment.seconds === null ? [] : [experiment.seconds]));
  const running = experiments.find((experiment) => experiment.state === "running");
  const mean = took.reduce((sum, one) => sum + one, 0) / took.length;
  const gone = running ? Math.max(0, (nowMs - Date.parse(running.startedAt)) / 1000) : 0;
  const leftS =
    state !== "running" || total === null || took.length === 0
      ? null
      : Math.max(0, (total - done) * mean - Math.min(gone, mean));
  return { done, failed: past.filter((experiment) => experiment.state === "failed").length, total, leftS };
}

export type JudgedExperiment = { experiment: LiveExperiment; value: number; best: number | null };

/** Experiments with a value for an objective, in order, each with the best feasible value so far. */
export function judgedExperiments(
  experiments: readonly LiveExperiment[],
  { direction }: Objective,
  objective = 0,
): JudgedExperiment[] {
  let best: number | null = null;
  return experiments.flatMap((experiment) => {
    const value = experiment.values[objective];
    if (value === undefined) return [];
    if (
      experiment.feasible &&
      experiment.role !== "confirmation" &&
      (best === null || better(value, best, direction))
    )
      best = value;
    return [{ experiment, value, best }];
  });
}

export const better = (a: number, b: number, direction: Objective["direction"]): boolean =>
  direction === "maximize" ? a > b : a < b;

/** The best feasible experiment by an objective, and its gain over the baseline: 0.2 is 20 % better. Null: none yet. */
export function bestOf(
  experiments: readonly LiveExperiment[],
  objective: Objective,
  at = 0,
): { experiment: LiveExperiment; value: number; gain: number | null } | null {
  const all = judgedExperiments(experiments, objective, at);
  const value = all.at(-1)?.best ?? null;
  const found = all.find(
    (one) => one.value === value && one.experiment.feasible && one.experiment.role !== "confirmation",
  );
  if (value === null || !found) return null;
  const base = all.find(({ experiment }) => experiment.role === "baseline")?.value;
  if (base === undefined || base <= 0) return { experiment: found.experiment, value, gain: null };
  return {
    experiment: found.experiment,
    value,
    gain: objective.direction === "maximize" ? value / base - 1 : 1 - value / base,
  };
}
