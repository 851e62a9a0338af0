import { expect, test } from "vitest";
import { experiment, sample } from "./fixture";
import { paramChanges, compareValues, valueText, variedParams } from "./params";
import { judgedRows, gpusDiffer, repeatsOf, rowName, rows, searchedParams } from "./rows";

test("every experiment is what it is to the reader", () => {
  expect(rows(sample()).map((row) => row.kind)).toEqual([
    "baseline",
    "best",
    "infeasible",
    "failed",
    "confirmation",
  ]);
  expect(rows(sample({ winner: null, nearest: 2 })).map((row) => row.kind)[2]).toBe("nearest");
  const running = experiment(5, {}, [], { state: "running" });
  expect(rows(sample({ experiments: [running] }))[0]).toMatchObject({ kind: "running", standing: null });
});

test("charts draw what could be judged", () => {
  expect(judgedRows(rows(sample())).map((row) => row.number)).toEqual([0, 1, 2]);
});

test("a parameter that is left at its default somewhere was varied; one that is the same everywhere was not", () => {
  expect(searchedParams(sample())).toEqual(["seqs", "mode"]);
  const same = sample().experiments.slice(1, 3);
  expect(variedParams(same.map((one) => one.params))).toEqual(["seqs"]);
});

test("on and 1 are different values", () => {
  expect(
    variedParams([
      { flags: { a: true }, env: {}, parallel: {}, quant: {} },
      { flags: { a: 1 }, env: {}, parallel: {}, quant: {} },
    ]),
  ).toEqual(["a"]);
  expect([valueText(true), valueText(false), valueText(undefined), valueText(0)]).toEqual([
    "on",
    "off",
    "default",
    "0",
  ]);
});

test("changes name what one configuration has otherwise, also what it leaves out", () => {
  const [base, best] = sample().experiments;
  expect(base && best && paramChanges(base.params, best.params)).toEqual([
    { name: "seqs", from: undefined, to: 32 },
    { name: "mode", from: undefined, to: "a" },
  ]);
  expect(base && best && paramChanges(best.params, base.params)[0]).toEqual({
    name: "seqs",
    from: 32,
    to: undefined,
  });
});

test("values sort by size, then by name, defaults first", () => {
  expect(["b", 12, undefined, 9, "a"].sort(compareValues)).toEqual([9, 12, "a", "b", undefined]);
  expect(compareValues(undefined, 1)).toBe(-1);
});

test("an experiment's repeats are itself and what confirms it", () => {
  expect(repeatsOf(sample(), 1).map((one) => one.number)).toEqual([1, 4]);
});

test("GPUs differ where experiments used different numbers of them", () => {
  const result = sample();
  expect(gpusDiffer(result)).toBe(false);
  expect(
    gpusDiffer({ ...result, experiments: [...result.experiments, experiment(9, {}, [], { gpus: 2 })] }),
  ).toBe(true);
});

test("names tell the best and the baseline", () => {
  expect(rows(sample()).slice(0, 3).map(rowName)).toEqual(["#0, baseline", "#1, best", "#2"]);
});
