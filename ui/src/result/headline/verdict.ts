import { percent } from "@/format";
import type { Intent } from "@/kit";
import { better, longName, quantity, shortName } from "../metrics";
import type { Bound, Gain, Objective, Outcome, Result, Standing } from "../types";

/** The verdict in short. */
export type Headline = {
  intent: Intent;
  /** In two or three words. */
  label: string;
  /** The task is still running. */
  soFar: boolean;
  /** The service's sentence about it. */
  text: string;
  gains: GainFigures[];
};

/** Change of an objective's metric against the baseline: half the latency is −50 %. */
export type GainFigures = {
  objective: Objective;
  figure: string;
  /** `+2.8 % to +6.7 %`; null for one measurement each. */
  interval: string | null;
  intent: Intent;
  baseline: string;
  winner: string;
  /** By confirmations, not by the search's own measurements. */
  fresh: boolean;
  measurements: number;
};

const OUTCOMES: Record<Outcome, { intent: Intent; label: string }> = {
  proven: { intent: "ok", label: "Proven" },
  unconfirmed: { intent: "warn", label: "Not confirmed" },
  overlap: { intent: "warn", label: "Not proven" },
  failed_again: { intent: "bad", label: "Not proven" },
  slo_missed_again: { intent: "bad", label: "Not proven" },
  worse_again: { intent: "bad", label: "Not proven" },
  no_baseline: { intent: "warn", label: "Best found, no baseline" },
  baseline_failed: { intent: "warn", label: "Best found, baseline failed" },
  defaults_best: { intent: "info", label: "The defaults are best" },
  infeasible: { intent: "bad", label: "No feasible configuration" },
  nothing_completed: { intent: "bad", label: "Nothing completed" },
};

const ENDED = ["completed", "failed", "cancelled"];

export function verdictOf(result: Result): Headline {
  const { outcome, text, gains } = result.verdict;
  const ended = result.experiments.some((one) => one.state !== "running");
  const soFar = !ENDED.includes(result.state);
  const { intent, label } =
    !ended && soFar ? { intent: "neutral" as const, label: "Nothing measured yet" } : OUTCOMES[outcome];
  return { intent, label, soFar, text, gains: gains.map(gainFigures) };
}

export function gainFigures(gain: Gain): GainFigures {
  const up = gain.objective.direction === "maximize";
  const signed = (value: number) => percent(up ? value : -value, { sign: true });
  const several = gain.winner.length + gain.baseline.length > 2;
  const { low, high } = gain;
  return {
    objective: gain.objective,
    figure: gain.gain === null ? "–" : signed(gain.gain),
    interval:
      several && low !== null && high !== null
        ? up
          ? `${signed(low)} to ${signed(high)}`
          : `${signed(high)} to ${signed(low)}`
        : null,
    intent: gain.gain === null || gain.gain === 0 ? "neutral" : gain.gain > 0 ? "ok" : "bad",
    baseline: quantity(gain.objective.metric, mean(gain.baseline)),
    winner: quantity(gain.objective.metric, mean(gain.winner)),
    fresh: gain.fresh,
    measurements: Math.min(gain.winner.length, gain.baseline.length),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** Where an experiment was judged: `concurrency 64`, or for several kinds of traffic one after the other. */
export function operatingPoints(result: Result, standing: Standing): string[] {
  const points = standing.scores[0]?.points ?? [];
  const objective = result.objectives[0];
  return points.map(({ scenario, concurrency, value }) => {
    const at = concurrency === null ? "mean over all loads" : `concurrency ${concurrency}`;
    if (points.length < 2 || !objective) return `${at}, ${scenario}`;
    return `${scenario}: ${at}, ${quantity(objective.metric, value)}`;
  });
}

export type SloRow = {
  name: string;
  long: string;
  hard: boolean;
  met: boolean;
  binds: boolean;
  actual: string;
  limit: string;
  /** actual ÷ limit: 1 is at the limit. */
  part: number;
  /** `38 % below the limit`. */
  margin: string;
  baseline: { actual: string; met: boolean } | null;
};

/** Confirmations of an experiment. */
export function confirmationsOf(result: Result, number: number): Standing[] {
  return result.standings.filter((one) => one.confirms === number && one.bounds.length > 0);
}

/** The worst of several measurements for each SLO. */
function worst(standings: readonly Standing[]): Bound[] {
  const found = new Map<string, Bound>();
  for (const bound of standings.flatMap((one) => one.bounds)) {
    const before = found.get(bound.name);
    if (!before || bound.excess > before.excess) found.set(bound.name, bound);
  }
  return [...found.values()];
}

/**
 * The SLOs at the operating point of an experiment, beside the baseline's.
 *
 * @param fresh the worst of what was measured after the search, where there is any: it is what the verdict speaks of.
 */
export function sloRows(result: Result, standing: Standing, fresh = false): SloRow[] {
  const base = result.standings.find(
    (one) => one.number === result.baseline && one.number !== standing.number,
  );
  const boundsOf = (one: Standing) => {
    const again = fresh ? confirmationsOf(result, one.number) : [];
    return again.length > 0 ? worst(again) : one.bounds;
  };
  const bounds = boundsOf(standing);
  const others = base ? boundsOf(base) : [];
  const nearest = Math.max(...bounds.map((bound) => bound.excess));
  return bounds.map((bound) => {
    const slo = result.slos.find((one) => `${one.metric}.${one.statistic}` === bound.name);
    const other = others.find((one) => one.name === bound.name);
    const shown = (seconds: number) => (slo ? quantity(slo.metric, seconds) : `${seconds} s`);
    return {
      name: slo ? shortName(slo) : bound.name,
      long: slo ? longName(slo) : bound.name,
      hard: bound.hard,
      met: bound.met,
      binds: bound.excess === nearest,
      actual: shown(bound.actual_s),
      limit: shown(bound.threshold_s),
      part: bound.actual_s / bound.threshold_s,
      margin: bound.excess > 0 ? `${percent(bound.excess)} over` : `${percent(-bound.excess)} below`,
      baseline: other ? { actual: shown(other.actual_s), met: other.met } : null,
    };
  });
}

/** Standing of the winner, or else of the nearest. */
export function leadingStanding(result: Result): Standing | null {
  return result.standings.find((one) => one.number === (result.winner ?? result.nearest)) ?? null;
}

/** Change of an objective against the baseline; null: not comparable. */
export function againstBaseline(
  objective: Objective,
  ratio: number | undefined,
): { text: string; intent: Intent } | null {
  if (ratio === undefined) return null;
  const intent = ratio === 1 ? "neutral" : better(objective, ratio, 1) ? "ok" : "bad";
  return { text: percent(ratio - 1, { sign: true }), intent };
}
