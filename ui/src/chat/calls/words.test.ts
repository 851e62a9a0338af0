import { describe, expect, test } from "vitest";
import type { CallEntry } from "../thread/model";
import { made, planOf } from "./plan";
import { brief, facts, far, pretty, reason } from "./words";

const entry = (progress: CallEntry["progress"]) => ({ progress }) as CallEntry;
const size = (value: number) => `${value} B`;
const count = String;

describe("in a line", () => {
  test("what is short is shown, the rest as its kind", () => {
    expect(brief({ task: "t1", limit: 3, allow: ["a", "b"], replace: false, note: null })).toBe(
      "task: t1, limit: 3, allow: a, b",
    );
    expect(brief({ task: { task_name: "demo", model: "m" }, other: { x: 1 } })).toBe(
      "task: demo, other: {…}",
    );
    expect(brief({ body: "x".repeat(200) })).toHaveLength("body: ".length + 60);
  });

  test("a failure says all that it knows", () => {
    const failed = {
      approval: null,
      failed: true,
      result: "It cannot be called like this:\n  task: missing\n",
    };
    expect(reason(failed as CallEntry)).toBe("It cannot be called like this: task: missing");
  });

  test("progress has its unit, as far as it is known", () => {
    expect(far(entry({ done: 3, total: 9, unit: "bytes", message: "config.json" }), size, count)).toBe(
      "config.json · 3 B of 9 B",
    );
    expect(far(entry({ done: 2, total: null, unit: "files", message: null }), size, count)).toBe("2 files");
    expect(far(entry({ done: null, total: null, unit: null, message: null }), size, count)).toBe("");
  });

  test("JSON gets lines, other text stays", () => {
    expect(pretty('{"a":[1,{}],"b":{"c":null}}')).toBe('{ "a": [1, {}], "b": { "c": null } }');
    const long = "x".repeat(60);
    const lines = `{\n  "a": [\n    "${long}",\n    [4, 16]\n  ],\n  "b": "y"\n}`;
    expect(pretty(`{"a":["${long}",[4,16]],"b":"y"}`)).toBe(lines);
    expect(pretty("No such task.")).toBe("No such task.");
  });

  test("facts leave out what is for the service only", () => {
    expect(facts({ id: "t1", files_done: 3, fingerprint: "abc" })).toEqual([
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
    },
  };

  test("is read from the preview", () => {
    const plan = planOf(preview);
    expect(plan).toMatchObject({
      task: "t1",
      engine: "vllm 1.0",
      experiments: 5,
      gpus: 1,
      atMost: "2 h",
      commands: [],
    });
    expect(plan?.worker).toBe("A worker takes it up at once.");
    expect(plan && made(plan)).toBe("baseline, 2 candidates, 2 confirmations");
  });

  test("is not made up where there is none", () => {
    expect(planOf({ id: "t1", experiments: 3 })).toBeNull();
    expect(planOf({ plan: "soon" })).toBeNull();
  });
});
