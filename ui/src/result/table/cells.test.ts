import { expect, test } from "vitest";
import { experiment, sample, standing } from "../fixture";
import { rows } from "../rows";
import { fields } from "./cells";
import { sorted } from "./sort";
import { kept } from "./filter";

const result = sample();
const all = rows(result);
const texts = (id: string, of = result) => {
  const field = fields(of).find((one) => one.id === id);
  return rows(of).map((row) => field?.cell(row).text);
};

test("columns show values with units, and nothing where there is nothing", () => {
  expect(texts("objective-0")).toEqual(["100 tok/s", "150 tok/s", "180 tok/s", "–", "154 tok/s"]);
  expect(texts("against")).toEqual(["–", "+50 %", "+80 %", "–", "+54 %"]);
  expect(texts("slo")).toEqual(["1 missed", "met", "1 missed", "–", "–"]);
  expect(texts("param-seqs")).toEqual(["default", "32", "128", "512", "32"]);
  expect(texts("measure-ttft.p90").slice(0, 2)).toEqual(["300 ms", "225 ms"]);
});

test("a missed hard SLO is bad, a soft one a warning", () => {
  const slo = fields(result).find((one) => one.id === "slo");
  const soft = sample({
    standings: result.standings.map((one) => ({
      ...one,
      bounds: one.bounds.map((bound) => ({ ...bound, hard: false })),
    })),
  });
  expect(all[2] && slo?.cell(all[2]).intent).toBe("bad");
  const row = rows(soft)[2];
  expect(row && slo?.cell(row).intent).toBe("warn");
});

test("GPUs and the rate of all of them are shown where they differ", () => {
  const shown = (of: typeof result) =>
    fields(of)
      .filter((one) => one.shown)
      .map((one) => one.id);
  expect(shown(result)).not.toContain("gpus");
  const two = experiment(5, {}, [], { gpus: 2 });
  expect(shown(sample({ experiments: [...result.experiments, two] }))).toContain("gpus");
});

test("why comes first where nothing could be judged", () => {
  const dead = experiment(0, {}, [], { state: "failed" });
  const nothing = sample({
    experiments: [dead],
    standings: [standing(dead, null, null, { reason: "It failed." })],
    winner: null,
  });
  expect(fields(nothing)[0]?.id).toBe("reason");
  expect(fields(result).at(-1)?.id).toBe("reason");
});

test("sorting keeps the baseline on top and what has no value at the end, both ways", () => {
  const order = (id: string, desc: boolean) =>
    sorted(all, { id, desc }, fields(result)).map((row) => row.number);
  expect(order("place", false)).toEqual([0, 1, 2, 3, 4]);
  expect(order("objective-0", true)).toEqual([0, 2, 4, 1, 3]);
  expect(order("objective-0", false)).toEqual([0, 1, 4, 2, 3]);
  expect(order("number", true)).toEqual([0, 4, 3, 2, 1]);
});

test("a filter leaves a kind, and what is marked in a chart; the baseline stays", () => {
  const numbers = (...args: Parameters<typeof kept>) => kept(...args).map((row) => row.number);
  expect(numbers(all, "all", null)).toEqual([0, 1, 2, 3, 4]);
  expect(numbers(all, "failed", null)).toEqual([0, 3]);
  expect(numbers(all, "missed", null)).toEqual([0, 2]);
  expect(numbers(all, "confirmations", null)).toEqual([0, 4]);
  expect(numbers(all, "feasible", null)).toEqual([0, 1]);
  expect(numbers(all, "all", new Set([2]))).toEqual([0, 2]);
});
