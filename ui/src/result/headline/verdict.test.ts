import { describe, expect, test } from "vitest";
import { experiment, gain, sample, standing, THROUGHPUT, TTFT, verdict } from "../fixture";
import {
  againstBaseline,
  gainFigures,
  verdictOf,
  leadingStanding,
  operatingPoints,
  sloRows,
} from "./verdict";

describe("a headline", () => {
  test("says that a gain is proven, with its interval", () => {
    const said = verdictOf(sample());
    expect(said).toMatchObject({ intent: "ok", label: "Proven", soFar: false });
    expect(said.gains[0]).toMatchObject({
      figure: "+50 %",
      interval: "+47 % to +53 %",
      baseline: "101 tok/s",
      winner: "152 tok/s",
      intent: "ok",
    });
  });

  test("of a latency shows how the latency itself changes, lowest first", () => {
    const said = gainFigures(
      gain({ objective: TTFT, baseline: [0.2, 0.2], winner: [0.1, 0.11], gain: 0.475, low: 0.45, high: 0.5 }),
    );
    expect(said).toMatchObject({
      figure: "−47.5 %",
      interval: "−50 % to −45 %",
      intent: "ok",
      winner: "105 ms",
    });
  });

  test("has no interval for one measurement each, and no figure where the baseline is zero", () => {
    const once = gain({ baseline: [100], winner: [150], fresh: false, low: null, high: null, shown: false });
    expect(gainFigures(once)).toMatchObject({ interval: null, intent: "neutral" });
    expect(gainFigures(gain({ gain: null, low: null, high: null, shown: false }))).toMatchObject({
      figure: "–",
      interval: null,
      intent: "neutral",
    });
  });

  test("never dresses a difference that is not shown as a gain", () => {
    const same = gain({ gain: 0.099, low: -0.05, high: 0.27, shown: false });
    expect(gainFigures(same)).toMatchObject({
      figure: "no difference shown",
      interval: "−5 % to +27 %",
      intent: "neutral",
    });
    const found = "No difference found (less than 27 % if any)";
    const result = sample({ verdict: verdict({ outcome: "no_difference", headline: found, gains: [same] }) });
    expect(verdictOf(result)).toMatchObject({ label: "No difference found", found, intent: "info" });
    const one = standing(result.experiments[1] ?? raise(), 150, 1, { against_baseline: [same] });
    expect(againstBaseline(THROUGHPUT, one)).toMatchObject({
      text: "no difference shown",
      intent: "neutral",
    });
  });

  test("of a task that goes on holds so far, and says when nothing has been measured", () => {
    expect(verdictOf(sample({ state: "running" })).soFar).toBe(true);
    const nothing = sample({
      state: "created",
      experiments: [],
      verdict: verdict({ outcome: "nothing_completed", headline: "", gains: [] }),
    });
    const first = {
      ...nothing,
      state: "running" as const,
      experiments: [experiment(0, {}, [], { state: "running" })],
    };
    for (const result of [nothing, first])
      expect(verdictOf(result)).toMatchObject({ label: "Nothing measured yet", intent: "neutral" });
  });

  test("says plainly that no configuration is feasible, and shows the nearest", () => {
    const result = sample({
      winner: null,
      nearest: 2,
      verdict: verdict({ outcome: "infeasible", headline: "", gains: [] }),
    });
    expect(verdictOf(result)).toMatchObject({ label: "No feasible configuration", intent: "bad" });
    expect(leadingStanding(result)?.number).toBe(2);
  });
});

test("SLOs stand beside the baseline's, and the one that binds is marked", () => {
  const result = sample();
  const best = leadingStanding(result);
  expect(best && sloRows(result, best)).toEqual([
    {
      name: "TTFT p90",
      long: "Time to first token, p90",
      hard: true,
      verdict: "met",
      binds: true,
      interval: null,
      actual: "225 ms",
      limit: "500 ms",
      part: 0.45,
      margin: "55 % below",
      baseline: { actual: "600 ms", verdict: "missed" },
    },
  ]);
});

test("SLOs of what was measured after the search have an interval, and may be too close to say", () => {
  const slo = (one: number, actual_s: number, said: "met" | "missed" | "too_close") => ({
    experiment: one,
    name: "ttft.p90",
    hard: true,
    threshold_s: 0.5,
    actual_s,
    low_s: actual_s - 0.03,
    high_s: actual_s + 0.03,
    verdict: said,
    measurements: 3,
  });
  const result = sample({ verdict: verdict({ slos: [slo(1, 0.49, "too_close"), slo(0, 0.61, "missed")] }) });
  const best = leadingStanding(result) ?? raise();
  expect(sloRows(result, best, true)[0]).toMatchObject({
    actual: "490 ms",
    interval: "460 ms to 520 ms",
    verdict: "too_close",
    baseline: { actual: "610 ms", verdict: "missed" },
  });
  expect(sloRows(result, best)[0]).toMatchObject({ actual: "225 ms", verdict: "met" });
});

test("the operating point is a load, or the mean over all of them", () => {
  const result = sample();
  const one = result.standings[0];
  expect(one && operatingPoints(result, one)).toEqual(["concurrency 8, D(512,128)"]);
  const mean = standing(result.experiments[1] ?? raise(), 1, 1);
  const score = mean.scores[0] ?? raise();
  const over = {
    ...mean,
    scores: [
      {
        ...score,
        points: [
          { scenario: "A", concurrency: null, rate: null, value: 12 },
          { scenario: "B", concurrency: 4, rate: null, value: 9 },
          { scenario: "C", concurrency: 0, rate: 2.5, value: 7 },
        ],
      },
    ],
  };
  expect(operatingPoints(result, over)).toEqual([
    "A: mean over all loads, 12 tok/s",
    "B: concurrency 4, 9 tok/s",
    "C: 2.5 requests/s, 7 tok/s",
  ]);
});

test("better than the baseline depends on the objective", () => {
  const once = (ratio: number) => ({ relative_to_baseline: [ratio], against_baseline: [] });
  expect(againstBaseline(TTFT, once(0.8))).toMatchObject({ text: "−20 %", intent: "ok" });
  const rate = { ...TTFT, metric: "requests_per_s", direction: "maximize" } as const;
  expect(againstBaseline(rate, once(0.8))).toMatchObject({ text: "−20 %", intent: "bad" });
  expect(againstBaseline(TTFT, { relative_to_baseline: [], against_baseline: [] })).toBeNull();
  expect(againstBaseline(TTFT, null)).toBeNull();
});

function raise(): never {
  throw new Error("the sample has it");
}
