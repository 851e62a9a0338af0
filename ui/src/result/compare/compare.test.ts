import { expect, test } from "vitest";
import { sample } from "../fixture";
import { rows } from "../rows";
import { comparison, contenders, MOST } from "./compare";

const result = sample();
const all = rows(result);

test("the baseline comes first, wherever it was chosen, and at most six are compared", () => {
  expect(contenders(all, [2, 0, 1]).map((row) => row.number)).toEqual([0, 2, 1]);
  expect(contenders(all, [1, 2, 3, 4, 1, 2, 3]).length).toBe(MOST);
});

test("parameters that differ come first and are marked", () => {
  const [parameters] = comparison(result, contenders(all, [1, 2]));
  expect(parameters).toMatchObject({
    title: "Parameters",
    rows: [
      { name: "seqs", differs: true, cells: [{ text: "default" }, { text: "32" }, { text: "128" }] },
      { name: "mode", differs: true, cells: [{ text: "default" }, { text: "a" }, { text: "a" }] },
    ],
  });
  expect(comparison(result, all.slice(1, 3))[0]?.rows.map((row) => [row.name, row.differs])).toEqual([
    ["seqs", true],
    ["mode", false],
  ]);
});

test("the outcome stands beside the baseline's, SLOs as met or by how much they are missed", () => {
  const outcome = comparison(result, contenders(all, [1, 2]))[1];
  expect(outcome?.rows[0]?.cells).toEqual([
    { text: "100 tok/s", note: undefined, intent: undefined },
    { text: "150 tok/s", note: "+50 %", intent: "ok" },
    { text: "180 tok/s", note: "+80 %", intent: "ok" },
  ]);
  expect(outcome?.rows[1]).toMatchObject({
    name: "SLO of TTFT p90",
    cells: [
      { note: "20 % over", intent: "bad" },
      { note: "met", intent: "ok" },
      { note: "170 % over", intent: "bad" },
    ],
  });
});

test("one that failed says why, and has no measures", () => {
  const [, outcome, measures] = comparison(result, contenders(all, [3]));
  expect(outcome?.rows.find((row) => row.name === "Why not")?.cells[1]?.text).toBe(
    "Out of memory: Not enough memory.",
  );
  expect(measures?.rows.every((row) => row.cells[1]?.text === "–")).toBe(true);
});

test("a longer time is worse, a higher rate better, and next to nothing is neither", () => {
  const measures = comparison(result, contenders(all, [1, 2]))[2];
  const intent = (name: string) =>
    measures?.rows.find((row) => row.name === name)?.cells.map((cell) => cell.intent);
  expect(intent("Time to first token")).toEqual([undefined, "ok", "bad"]);
  expect(intent("Output tokens per second")).toEqual([undefined, "ok", "ok"]);
  expect(intent("Time per output token")).toEqual([undefined, "neutral", "neutral"]);
});
