import { loadSaid } from "@/format/load";
import { percent } from "@/format";
import type { Intent } from "@/kit";
import { better, longName, quantity, shortName } from "../metrics";
import type { Bound, Gain, Objective, Outcome, Result, Standing } from "../types";

/** The verdict in short. */
export type Headline = {
  intent: Intent;
  /** In two or three words. */
  label: string;
  /** What was found, where a figure would dress it as a gain: `No difference found (less than 4.7 % if any)`. */
  found: string | null;
  /** The task is still running. */
  soFar: boolean;
  /** The service's sentence about it. */
  text: string;
  gains: GainFigures[];
};

/** Change of an objective's metric against the baseline: half the latency is −50 %. */
export type GainFigures = {
  objective: Objective;
  /** The change, or that none is shown. */
  figure: string;
  /** Of 95 %: `+2.8 % to +6.7 %`; null for one measurement each. */
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
  overlap: { intent: "warn", label: "No difference found" },
  no_difference: { intent: "info", label: "No difference found" },
  slo_too_close: { intent: "warn", label: "Too close to say" },
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
  const { outcome, text, gains, headline } = result.verdict;
  const ended = result.experiments.some((one) => one.state !== "running");
  const soFar = !ENDED.includes(result.state);
  const { intent, label } =
    !ended && soFar ? { intent: "neutral" as const, label: "Nothing measured yet" } : OUTCOMES[outcome];
  const found = outcome === "proven" || headline === "" || headline === label ? null : headline;
  return { intent, label, found, soFar, text, gains: gains.map(gainFigures) };
}

export function gainFigures(gain: Gain): GainFigures {
  const up = gain.objective.direction === "maximize";
  const signed = (value: number) => percent(up ? value : -value, { sign: true });
  const { low, high, shown } = gain;
  const interval =
    low === null || high === null
      ? null
      : up
        ? `${signed(low)} to ${signed(high)}`
        : `${signed(high)} to ${signed(low)}`;
  const worse = high !== null && high < 0;
  const figure = gain.gain === null ? "–" : signed(gain.gain);
  return {
    objective: gain.objective,
    figure: interval === null || shown || worse ? figure : "no difference shown",
    interval,
    intent: shown ? "ok" : worse ? "bad" : "neutral",
    baseline: quantity(gain.objective.metric, mean(gain.baseline)),
    winner: quantity(gain.objective.metric, mean(gain.winner)),
    fresh: gain.fresh,
    measurements: Math.min(gain.winner.length, gain.baseline.length),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** Where an experiment was judged: `concurrency 64`, `4 requests/s`, or for several kinds of traffic one after the other. */
export function operatingPoints(result: Result, standing: Standing): string[] {
  const points = standing.scores[0]?.points ?? [];
  const objective = result.objectives[0];
  return points.map(({ scenario, concurrency, rate, value }) => {
    const at = concurrency === null ? "mean over all loads" : loadSaid({ concurrency, rate });
    if (points.length < 2 || !objective) return `${at}, ${scenario}`;
    return `${scenario}: ${at}, ${quantity(objective.metric, value)}`;
  });
}

export type SloRow = {
  name: string;
  long: string;
  hard: boolean;
  verdict: SloVerdict;
  binds: boolean;
  actual: string;
  limit: string;
  /** actual ÷ limit: 1 is at the limit. */
  part: number;
  /** `38 % below the limit`. */
  margin: string;
  /** `270 ms to 312 ms`, of fresh measurements. */
  interval: string | null;
  baseline: { actual: string; verdict: SloVerdict } | null;
};

export type SloVerdict = "met" | "missed" | "too_close";

/** How an SLO stands; too close to say is neither met nor missed. */
export function sloVerdict(bound: Bound): SloVerdict {
  return bound.verdict ?? (bound.met ? "met" : "missed");
}

/** Confirmations of an experiment. */
export function confirmationsOf(result: Result, number: number): Standing[] {
  return result.standings.filter((one) => one.confirms === number && one.bounds.length > 0);
}

/**
 * The SLOs at the operating point of an experiment, beside the baseline's.
 *
 * @param fresh by what was measured after the search, where there is any: it is what the verdict speaks of.
 */
export function sloRows(result: Result, standing: Standing, fresh = false): SloRow[] {
  const base = result.standings.find(
    (one) => one.number === result.baseline && one.number !== standing.number,
  );
  const freshOf = (one: Standing, bound: Bound) =>
    fresh
      ? result.verdict.slos.find((slo) => slo.experiment === one.number && slo.name === bound.name)
      : undefined;
  const { bounds } = standing;
  const others = base?.bounds ?? [];
  const nearest = Math.max(...bounds.map((bound) => bound.excess));
  return bounds.map((bound) => {
    const slo = result.slos.find((one) => `${one.metric}.${one.statistic}` === bound.name);
    const other = others.find((one) => one.name === bound.name);
    const shown = (seconds: number) => (slo ? quantity(slo.metric, seconds) : `${seconds} s`);
    const again = freshOf(standing, bound);
    const excess = again ? again.actual_s / bound.threshold_s - 1 : bound.excess;
    return {
      name: slo ? shortName(slo) : bound.name,
      long: slo ? longName(slo) : bound.name,
      hard: bound.hard,
      verdict: again?.verdict ?? sloVerdict(bound),
      binds: bound.excess === nearest,
      actual: shown(again?.actual_s ?? bound.actual_s),
      interval: again ? `${shown(again.low_s)} to ${shown(again.high_s)}` : null,
      limit: shown(bound.threshold_s),
      part: (again?.actual_s ?? bound.actual_s) / bound.threshold_s,
      margin: excess > 0 ? `${percent(excess)} over` : `${percent(-excess)} below`,
      baseline:
        base && other
          ? {
              actual: shown(freshOf(base, other)?.actual_s ?? other.actual_s),
              verdict: freshOf(base, other)?.verdict ?? sloVerdict(other),
            }
          : null,
    };
  });
}

/** Standing of the winner, or else of the nearest. */
export function leadingStanding(result: Result): Standing | null {
  return result.standings.find((one) => one.number === (result.winner ?? result.nearest)) ?? null;
}

/**
 * Change of an objective against the baseline: by fresh measurements with their interval, where there are any, else by
 * one of each. Null: not comparable.
 */
export function againstBaseline(
  objective: Objective,
  standing: Pick<Standing, "relative_to_baseline" | "against_baseline"> | null | undefined,
  index = 0,
): { text: string; intent: Intent; ratio: number; interval: string | null } | null {
  const fresh = standing?.against_baseline[index];
  if (fresh && fresh.gain !== null && fresh.low !== null) {
    const { figure, interval, intent } = gainFigures(fresh);
    const ratio = objective.direction === "maximize" ? 1 + fresh.gain : 1 - fresh.gain;
    return { text: figure, intent, ratio, interval };
  }
  const ratio = standing?.relative_to_baseline[index];
  if (ratio === undefined) return null;
  const intent = ratio === 1 ? "neutral" : better(objective, ratio, 1) ? "ok" : "bad";
  return { text: percent(ratio - 1, { sign: true }), intent, ratio, interval: null };
}
