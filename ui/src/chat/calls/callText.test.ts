import { describe, expect, test } from "vitest";
import type { CallEntry } from "../thread/model";
import { experimentCounts, planOfPreview } from "./plan";
import { previewFacts, progressText, prettyResult, failureReason } from "./callText";

const entry = (progress: CallEntry["progress"]) => ({ progress }) as CallEntry;
const size = (value: number) => `${value} B`;
const count = String;

describe("a call in words", () => {
  test("a failure says all that it knows", () => {
    const failed = {
      approval: null,
      failed: true,
      result: "It cannot be called like this:\n  task: missing\n",
    };
    expect(failureReason(failed as CallEntry)).toBe("It cannot be called like this: task: missing");
  });

  test("progress has its unit, as far as it is known", () => {
    expect(
      progressText(entry({ done: 3, total: 9, unit: "bytes", message: "config.json" }), size, count),
    ).toBe("config.json · 3 B of 9 B");
    expect(progressText(entry({ done: 2, total: null, unit: "files", message: null }), size, count)).toBe(
      "2 files",
    );
    expect(progressText(entry({ done: null, total: null, unit: null, message: null }), size, count)).toBe("");
  });

  test("JSON gets lines, other text stays", () => {
    expect(prettyResult('{"a":[1,{}],"b":{"c":null}}')).toBe('{ "a": [1, {}], "b": { "c": null } }');
    const long = "x".repeat(60);
    const lines = `{\n  "a": [\n    "${long}",\n    [4, 16]\n  ],\n  "b": "y"\n}`;
    expect(prettyResult(`{"a":["${long}",[4,16]],"b":"y"}`)).toBe(lines);
    expect(prettyResult("No such task.")).toBe("No such task.");
  });

  test("facts leave out what is for the service only", () => {
    expect(previewFacts({ id: "t1", files_done: 3, fingerprint: "abc" })).toEqual([
      ["id", "t1"],
      ["files done", "3"],
    ]);
  });
});

describe("a plan", () => {
  const preview = {
    id: "t1",
    name: "demo",
    worker: "A worker takes it up at once.",
    plan: {
      engine: "vllm",
      engine_version: "1.0",
      experiments: 5,
      baseline: true,
      candidates: 2,
      confirmations: 2,
      levels: ["D × 4"],
      gpus: 1,
      at_most: "2 h",
      slos: ["p90 time to first token ≤ 300 ms (hard)"],
    },
  };

  test("is read from the preview", () => {
    const plan = planOfPreview(preview);
    expect(plan).toMatchObject({
      task: "t1",
      engine: "vllm 1.0",
      experiments: 5,
      gpus: 1,
      atMost: "2 h",
      slos: ["p90 time to first token ≤ 300 ms (hard)"],
      commands: [],
    });
    expect(plan?.worker).toBe("A worker takes it up at once.");
    expect(plan && experimentCounts(plan)).toBe("baseline, 2 candidates, 2 confirmations");
  });

  test("is not made up where there is none", () => {
    expect(planOfPreview({ id: "t1", experiments: 3 })).toBeNull();
    expect(planOfPreview({ plan: "soon" })).toBeNull();
  });
});
