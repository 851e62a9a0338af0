import { expect, test } from "vitest";
import type { Palette } from "@/charts";
import { experiment, point, sample, standing, THROUGHPUT, TTFT } from "../fixture";
import { judgedRows, rows } from "../rows";
import { searchHistory, historyOption, historyOverlay } from "./history";
import { frontier, frontierOption, frontierOverlay, frontierTable } from "./frontier";
import { levels, limits, upperLeft, usualLatency, usualRate, spansDecades } from "./levels";
import { loadCurvesOption } from "./loadCurves";
import { loadCurves, spreads } from "./spreads";
import { tradeoff } from "./objectives";
import { marked, parallel } from "./parallel";
import { parallelOption } from "./parallelOption";
import { paramAxis, placeOn, slice } from "./slices";

const PALETTE: Palette = {
  series: ["s1", "s2", "s3"],
  text: "text",
  muted: "muted",
  faint: "faint",
  line: "line",
  surface: "surface",
  raised: "raised",
  accent: "accent",
  ok: "ok",
  warn: "warn",
  bad: "bad",
};
const CHAT = "D(512,128)";
const P90 = { metric: "ttft", statistic: "p90" } as const;
const result = sample();
const all = rows(result);

type Series = { id: string; name?: string; data: unknown[] };
const series = (option: Record<string, unknown>) => option.series as Series[];

test("the latency that is drawn is what the tightest SLO bounds", () => {
  expect(usualLatency(result)).toEqual(P90);
  expect(
    usualLatency(
      sample({
        slos: [],
        standings: [],
        objectives: [{ metric: "tpot", statistic: "mean", direction: "minimize" }],
      }),
    ),
  ).toEqual({ metric: "tpot", statistic: "mean" });
  expect(usualLatency(sample({ slos: [], standings: [] }))).toEqual({
    metric: "e2e_latency",
    statistic: "mean",
  });
});

test("throughput counts per GPU where experiments used different numbers of them", () => {
  const two = experiment(5, {}, [point(8, 300, 0.1)], { gpus: 2 });
  const mixed = sample({ experiments: [...result.experiments, two] });
  expect(usualRate(mixed)).toBe("output_tokens_per_s_per_gpu");
  const row = rows(mixed).filter((one) => one.number === 5);
  expect(levels(row, CHAT, P90, "output_tokens_per_s_per_gpu")[0]).toMatchObject({ y: 150 });
});

test("levels are in milliseconds, failed ones and other traffic left out", () => {
  const broken = point(64, 0, 9, { failure: "crashed" });
  const other = point(1, 1, 1, { scenario: "other" });
  const one = experiment(7, {}, [point(8, 100, 0.2), broken, other, point(1, 50, 0.1)]);
  const row = rows(sample({ experiments: [one] }));
  expect(levels(row, CHAT, P90, "output_tokens_per_s")).toEqual([
    { number: 7, load: 1, x: expect.closeTo(150) as number, y: 50 },
    { number: 7, load: 8, x: expect.closeTo(300) as number, y: 100 },
  ]);
});

test("the front has the levels that no other beats", () => {
  const level = (x: number, y: number) => ({ number: 0, load: 1, x, y });
  expect(upperLeft([level(3, 5), level(1, 2), level(2, 1), level(2, 4), level(4, 5)])).toEqual([
    level(1, 2),
    level(2, 4),
    level(3, 5),
  ]);
});

test("SLOs are lines on the axis they bound only", () => {
  expect(limits(result, P90)).toEqual([{ at: 500, name: "SLO 500 ms" }]);
  expect(limits(result, { metric: "ttft", statistic: "mean" })).toEqual([]);
});

test("an axis is logarithmic for values far apart, never with zero among them", () => {
  expect([spansDecades([1, 30]), spansDecades([1, 10]), spansDecades([0, 30]), spansDecades([])]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test("the frontier draws best and baseline as lines, the others as a cloud, and leaves out empty groups", () => {
  const data = frontier(result, judgedRows(all), {
    scenario: CHAT,
    latency: P90,
    rate: "output_tokens_per_s",
    log: true,
  });
  const option = frontierOption(data, PALETTE);
  expect(series(option).map((one) => one.id)).toEqual([
    "Misses a hard SLO",
    "front",
    "baseline",
    "best",
    "hovered",
  ]);
  expect(option.xAxis).toMatchObject({ type: "log", name: "TTFT p90 (ms)" });
  expect(frontierOverlay(data, 1)).toHaveLength(2);
  expect(frontierOverlay(data, null)).toEqual([]);
  expect(frontierTable(data).rows).toHaveLength(6);
});

test("what was measured again has a spread around its mean", () => {
  const [, best] = all;
  expect(best && spreads(result, best, CHAT, { metric: "output_tokens_per_s", statistic: "mean" })).toEqual([
    { load: 1, mean: 59, low: 58, high: 60, count: 2 },
    { load: 8, mean: 152, low: 150, high: 154, count: 2 },
  ]);
});

test("error bars stand only where there is a spread", () => {
  const data = loadCurves(result, judgedRows(all), CHAT, {
    metric: "output_tokens_per_s",
    statistic: "mean",
  });
  expect(series(loadCurvesOption(data, PALETTE)).map((one) => one.id)).toEqual([
    "line-0",
    "line-1",
    "bars-1",
    "line-2",
    "hovered",
  ]);
});

test("the best so far never counts what misses a hard SLO, and lasts to the end", () => {
  const data = searchHistory(result, all, 0);
  expect(data?.steps).toEqual([
    [0, 100],
    [1, 150],
    [3, 150],
  ]);
  expect(data?.failed.map((row) => row.number)).toEqual([3]);
  expect(data && historyOverlay(data, 2)).toEqual([[2, 180]]);
  expect(data && historyOption(data, PALETTE).yAxis).toMatchObject({ min: 90 });
  expect(searchHistory(result, all, 1)).toBeNull();
});

test("the best so far of a latency goes down", () => {
  const down = sample({
    objectives: [TTFT],
    standings: sample().standings.map((one) => ({ ...one, feasible: true })),
  });
  expect(searchHistory(down, rows(down), 0)?.steps).toEqual([
    [0, 100_000],
    [3, 100_000],
  ]);
});

test("two objectives stand against each other, one does not", () => {
  expect(tradeoff(result, all)).toBeNull();
  const both = sample({ objectives: [THROUGHPUT, TTFT], front: [1] });
  const [score] = both.standings[0]?.scores ?? [];
  const twice = {
    ...both,
    standings: both.standings.map((one) => ({
      ...one,
      scores: score && one.scores.length > 0 ? [score, { ...score, value: 0.2 }] : [],
    })),
  };
  const data = tradeoff(twice, judgedRows(rows(twice)));
  expect(data?.points[0]).toMatchObject({ x: 150, y: 200 });
  expect(data?.front.map((one) => one.row.number)).toEqual([1]);
});

test("few values stand side by side, many numbers on a scale, logarithmic where they lie far apart", () => {
  expect(paramAxis("a", [4, 16, undefined, 4])).toEqual({ name: "a", steps: [4, 16, undefined], log: false });
  const many = Array.from({ length: 12 }, (_, step) => 2 ** step);
  const scale = paramAxis("a", many);
  expect(scale).toEqual({ name: "a", steps: null, log: true });
  expect([placeOn(scale, 64), placeOn(scale, undefined)]).toEqual([64, null]);
  expect(placeOn(paramAxis("a", ["x", "y"]), "y")).toBe(1);
});

test("a slice has the median of each value", () => {
  const data = slice(result, judgedRows(all), "mode", 0);
  expect(data?.axis.steps).toEqual(["a", undefined]);
  expect(data?.medians).toEqual([
    [0, 165],
    [1, 100],
  ]);
});

test("marking an axis leaves the lines that go through every mark", () => {
  const data = parallel(result, judgedRows(all), ["seqs", "mode"]);
  expect(marked(data, {})).toBeNull();
  expect(marked(data, { seqs: [] })).toBeNull();
  expect(marked(data, { seqs: [[-0.5, 0.5]] })).toEqual(new Set([1]));
  expect(marked(data, { seqs: [[-0.5, 1.5]], "Output (tok/s)": [[170, 200]] })).toEqual(new Set([2]));
  expect(
    marked(data, {
      seqs: [
        [-0.5, 0.2],
        [0.8, 1.2],
      ],
    }),
  ).toEqual(new Set([1, 2]));
});

test("parallel coordinates have an axis for each parameter and objective", () => {
  const option = parallelOption(parallel(result, judgedRows(all), ["seqs", "mode"]), PALETTE);
  expect((option.parallelAxis as { id: string }[]).map((one) => one.id)).toEqual([
    "seqs",
    "mode",
    "Output (tok/s)",
  ]);
  expect(series(option).map((one) => one.data.length)).toEqual([1, 1, 1, 0]);
});

test("names from outside stay text in what is drawn", () => {
  const evil = "<img src=x onerror=alert(1)>";
  const one = experiment(1, { [evil]: evil }, [point(1, 1, 1)]);
  const planted = sample({ experiments: [one], standings: [standing(one, 1, 1)], winner: 1, baseline: null });
  const option = parallelOption(parallel(planted, rows(planted), [evil]), PALETTE);
  const box = (option.tooltip as { formatter: (at: unknown) => HTMLElement }).formatter({
    data: { number: 1, value: [] },
  });
  expect(box.querySelector("img")).toBeNull();
  expect(box.textContent).toContain(evil);
});
