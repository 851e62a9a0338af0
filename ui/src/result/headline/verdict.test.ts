import { describe, expect, test } from "vitest";
import { experiment, gain, sample, standing, TTFT } from "../fixture";
import {
  againstBaseline,
  gainFigures,
  confirmationsOf,
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
    expect(gainFigures(gain({ baseline: [100], winner: [150] })).interval).toBeNull();
    expect(gainFigures(gain({ gain: null, low: null, high: null }))).toMatchObject({
      figure: "–",
      interval: null,
      intent: "neutral",
    });
  });

  test("of a task that goes on holds so far, and says when nothing has been measured", () => {
    expect(verdictOf(sample({ state: "running" })).soFar).toBe(true);
    const nothing = sample({
      state: "created",
      experiments: [],
      verdict: { outcome: "nothing_completed", text: "", gains: [], luck: null },
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
      verdict: { outcome: "infeasible", text: "", gains: [], luck: null },
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
      met: true,
      binds: true,
      actual: "225 ms",
      limit: "500 ms",
      part: 0.45,
      margin: "55 % below",
      baseline: { actual: "600 ms", met: false },
    },
  ]);
});

test("SLOs of what was measured after the search are those of its worst measurement", () => {
  const again = (number: number, actual_s: number) => ({
    ...standing(sample().experiments[4] ?? raise(), 150, null),
    number,
    confirms: 1,
    bounds: [{ ...bound, actual_s, excess: actual_s / 0.5 - 1, met: actual_s <= 0.5 }],
  });
  const result = sample();
  const all = { ...result, standings: [...result.standings, again(5, 0.51), again(6, 0.3)] };
  const best = leadingStanding(all) ?? raise();
  expect(confirmationsOf(all, best.number)).toHaveLength(2);
  expect(sloRows(all, best, true)[0]).toMatchObject({
    actual: "510 ms",
    margin: "2 % over",
    met: false,
    binds: true,
    baseline: { actual: "600 ms" },
  });
  expect(sloRows(all, best)[0]).toMatchObject({ actual: "225 ms", met: true });
});

const bound = { name: "ttft.p90", threshold_s: 0.5, hard: true };

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
          { scenario: "A", concurrency: null, value: 12 },
          { scenario: "B", concurrency: 4, value: 9 },
        ],
      },
    ],
  };
  expect(operatingPoints(result, over)).toEqual([
    "A: mean over all loads, 12 tok/s",
    "B: concurrency 4, 9 tok/s",
  ]);
});

test("better than the baseline depends on the objective", () => {
  expect(againstBaseline(TTFT, 0.8)).toEqual({ text: "−20 %", intent: "ok" });
  expect(againstBaseline({ ...TTFT, metric: "requests_per_s", direction: "maximize" }, 0.8)).toEqual({
    text: "−20 %",
    intent: "bad",
  });
  expect(againstBaseline(TTFT, undefined)).toBeNull();
});

function raise(): never {
  throw new Error("the sample has it");
}
