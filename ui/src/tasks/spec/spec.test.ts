import { describe, expect, test } from "vitest";
import { CATALOG } from "@/test/catalog";
import { type JsonObject, isObject, read } from "@/yaml/document";
import { objectivesOf, objectivesToSpec } from "./objectives";
import { patchOf } from "./patch";
import { problemAt } from "./places";
import { applyPreset } from "./preset";
import { nextSlo, type SLO, slosToSpec, slosOf } from "./slos";
import { firstEngine, newTask } from "./newTask";

describe("objectives", () => {
  const named = CATALOG.objectives;

  test.each([
    "maximize_throughput",
    "minimize_ttft",
    { metric: "ttft", statistic: "p99", direction: "minimize" },
    ["minimize_latency", { metric: "goodput_per_s", direction: "maximize" }],
  ])("%j is said as it was", (raw) =>
    expect(objectivesToSpec(objectivesOf(raw, named) ?? [], named)).toEqual(raw),
  );

  test("without one it is throughput; what is none is left to the text", () => {
    expect(objectivesOf(undefined, named)).toEqual(objectivesOf("maximize_throughput", named));
    expect(objectivesOf("win", named)).toBeNull();
    expect(objectivesOf([{ metric: "speed" }], named)).toBeNull();
  });

  test("whose names are not known are left to the text, and written out", () => {
    expect(objectivesOf("minimize_ttft", [])).toBeNull();
    expect(objectivesToSpec(objectivesOf("minimize_ttft", named) ?? [], [])).toEqual({
      metric: "ttft",
      direction: "minimize",
    });
  });
});

describe("SLOs", () => {
  const block = {
    ttft: { mean: { threshold: 1 }, p90: { threshold: 0.3, hard_fail: true, fail_ratio: 0.2 } },
    latency: { p99: { threshold: 10, weight: 3 } },
    steepness: 0.2,
  };

  test("rows and blocks say the same", () => expect(slosToSpec(slosOf(block) ?? [], block)).toEqual(block));

  test("a plain bound is one of the mean", () => {
    expect(slosOf({ tpot: { threshold: 0.05 } })).toEqual([
      { metric: "tpot", statistic: "mean", threshold: 0.05 },
    ]);
  });

  test("without rows there is no block", () => expect(slosToSpec([], block)).toBeUndefined());

  test("a row that was just added keeps its place without a bound", () => {
    const rows: SLO[] = [{ metric: "ttft", statistic: "p90" }];
    expect(slosOf(slosToSpec(rows, null))).toEqual(rows);
  });

  test("another one is always one that is not there, until all are", () => {
    const rows: SLO[] = [];
    for (let next = nextSlo(rows); next !== null; next = nextSlo(rows)) rows.push(next);
    expect(new Set(rows.map((one) => `${one.metric}.${one.statistic}`)).size).toBe(15);
  });

  test("what is no SLO is left to the text", () => {
    expect(slosOf("fast")).toBeNull();
    expect(slosOf({ ttft: { p75: { threshold: 1 } } })).toBeNull();
  });
});

describe("problems", () => {
  const places = [
    { where: "benchmark.num_concurrency.1", message: "must be at least 1, not 0", line: 4 },
    { where: "model.name", message: "there is no folder", line: 2 },
    { where: "parameters.max_num_seqs", message: "no such flag", line: 8 },
    { where: "parameters", message: "must be a block of keys", line: 7 },
  ];

  test("are shown at the field above them, in whatever spelling", () => {
    expect(problemAt(places, ["benchmark", "num_concurrency"])).toBe("must be at least 1, not 0");
    expect(problemAt(places, ["model", "id_or_path"])).toBe("there is no folder");
    expect(problemAt(places, ["parameters", "max-num-seqs"])).toBe("no such flag");
    expect(problemAt(places, ["parameters", "max-num"])).toBeUndefined();
    expect(problemAt(places, ["benchmark", "num"])).toBeUndefined();
  });

  test("of a block are those of all its parts", () => {
    expect(problemAt(places, ["parameters"])).toBe("no such flag; must be a block of keys");
  });
});

describe("a merge patch", () => {
  /** RFC 7396, as the service applies it. */
  function merged(target: unknown, patch: unknown): unknown {
    if (!isObject(patch)) return patch;
    const before = isObject(target) ? target : {};
    const kept = Object.entries(before).filter(([key]) => !(key in patch));
    const changed = Object.entries(patch).filter(([, value]) => value !== null);
    return Object.fromEntries([...kept, ...changed.map(([key, value]) => [key, merged(before[key], value)])]);
  }

  test.each<[JsonObject, JsonObject]>([
    [
      { a: 1, b: { c: 1, d: 2 } },
      { a: 1, b: { d: 3 } },
    ],
    [{ a: [1, 2] }, { a: [1] }],
    [{ a: { b: 1 } }, { a: "x" }],
    [{ a: "x" }, { a: { b: { c: 1 } } }],
    [{}, { a: 1 }],
    [{ a: 1 }, {}],
  ])("leads from %j to %j", (before, after) => expect(merged(before, patchOf(before, after))).toEqual(after));

  test("says only what changed", () => {
    expect(patchOf({ a: 1, b: { c: 1, d: 2 } }, { a: 1, b: { c: 1, d: 3 } })).toEqual({ b: { d: 3 } });
  });
});

describe("a preset", () => {
  const text =
    "task_name: mine\nbase_runtime: vllm\nparameters:\n  a: [1]\n  b: 2\noptimization: {seed: 3}\n";

  test("goes over what is there, block by block, flags as a whole", () => {
    const after = applyPreset(text, {
      engine: "vllm",
      task: { parameters: { a: { type: "integer", low: 1, high: 2 } }, optimization: { confirm: 1 } },
    });
    expect(read(after).data).toEqual({
      task_name: "mine",
      base_runtime: "vllm",
      parameters: { a: { type: "integer", low: 1, high: 2 }, b: 2 },
      optimization: { seed: 3, confirm: 1 },
    });
  });

  test("for another engine takes the flags of this one away", () => {
    const after = applyPreset(text, { engine: "sglang", task: { parameters: { c: 1 } } });
    expect(read(after).data).toMatchObject({ base_runtime: "sglang", parameters: { c: 1 } });
  });
});

describe("a new task", () => {
  const engine = (name: string, installed: boolean) => ({
    name,
    installed,
    environments: [],
    version: null,
    cpu_only: false,
    install: "",
    parallel_presets: [],
    quant_presets: [],
  });

  test("is for the engine that is installed, the simulated one last", () => {
    expect(firstEngine([engine("simulated", true), engine("vllm", true)], CATALOG)).toBe("vllm");
    expect(firstEngine([engine("vllm", false), engine("simulated", true)], CATALOG)).toBe("simulated");
    expect(firstEngine([engine("vllm", true), engine("simulated", true)], undefined)).toBe("vllm");
  });

  test("says nothing of an engine where none is installed", () => {
    const none = firstEngine([engine("vllm", false)], CATALOG);
    expect(read(newTask(none, CATALOG)).data).toEqual({});
  });

  test("names its engine, and the model that comes with the simulated one", () => {
    expect(read(newTask("vllm", CATALOG)).data).toEqual({ base_runtime: "vllm" });
    expect(read(newTask("simulated", CATALOG)).data).toEqual({ base_runtime: "simulated", model: "demo" });
  });
});
