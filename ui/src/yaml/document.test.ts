import { describe, expect, test, vi } from "vitest";
import { get, importText, read, set } from "./document";

type Files = {
  readdirSync: (path: string) => string[];
  readFileSync: (path: string, encoding: "utf8") => string;
};
const files = await vi.importActual<Files>("node:fs");
const FOLDER = "../examples";
const EXAMPLES = files
  .readdirSync(FOLDER)
  .filter((name) => /^(?!policy).*\.(yaml|json)$/.test(name))
  .map((name) => [name, files.readFileSync(`${FOLDER}/${name}`, "utf8")] as const);
const TEXT = `# A first try
task_name: first   # as it is shown

model: demo
parameters:
  max-num-seqs: [8, 16]  # sequences
slo:
  ttft:
    p90: {threshold: 0.3}
`;

describe("a task file", () => {
  test.each(EXAMPLES)("%s keeps what it says when another key of it is changed", (_, text) => {
    const before = read(text).data;
    const after = read(set(text, ["budget", "max_experiments"], 7)).data;
    expect(before).not.toBeNull();
    expect(get(after, ["budget", "max_experiments"])).toBe(7);
    expect({ ...after, budget: null }).toEqual({ ...before, budget: null });
  });

  test("keeps its comments", () => {
    const text = set(TEXT, ["parameters", "max-num-seqs"], [4, 32]);
    expect(text).toContain("# A first try");
    expect(text).toContain("task_name: first # as it is shown");
    expect(text).toContain("max-num-seqs: [4, 32] # sequences");
  });

  test("a new key stands where one looks for it", () => {
    const keys = Object.keys(read(set(TEXT, ["base_runtime"], "vllm")).data ?? {});
    expect(keys).toEqual(["task_name", "base_runtime", "model", "parameters", "slo"]);
  });

  test("a block that becomes empty goes with its last key", () => {
    expect(read(set(TEXT, ["slo", "ttft", "p90"], undefined)).data).not.toHaveProperty("slo");
  });

  test("a model written as its id alone becomes a block when more is said of it", () => {
    const { data } = read(set(TEXT, ["model", "quantization"], "awq"));
    expect(data?.model).toEqual({ id_or_path: "demo", quantization: "awq" });
  });

  test("an empty text is an empty task, and can be written into", () => {
    expect(read("").data).toEqual({});
    expect(read(set("", ["optimization", "confirm"], 1)).data).toEqual({ optimization: { confirm: 1 } });
    expect(set("", ["optimization", "confirm"], 1)).not.toContain("!!");
  });

  test("JSON is taken in as YAML, and what only looks like it as it is", () => {
    const data = { task_name: "yes", model: { name: "demo" }, parameters: { x: [1, 2] }, environment: {} };
    const text = importText(JSON.stringify(data));
    expect(text).toMatch(/^task_name: "yes"\nmodel:\n {2}name: demo\nparameters:\n {2}x: \[1, 2\]\n/);
    expect(read(text).data).toEqual(data);
    expect(importText("{a: 1}")).toBe("{a: 1}");
    expect(importText(TEXT)).toBe(TEXT);
    expect(read(set('{"a": "x"}', ["b"], 2)).data).toEqual({ a: "x", b: 2 });
  });

  test("what cannot be read has its line, and stays as it was typed", () => {
    const { data, errors } = read("task_name: a\nmodel: [demo\nparameters: 1\n");
    expect(data).toBeNull();
    expect(errors[0]?.line).toBeGreaterThan(1);
    expect(errors[0]?.message).not.toMatch(/line|\n/);
    expect(set("a: [1", ["b"], 2)).toBe("a: [1");
    expect(read("- a\n- b").data).toBeNull();
  });

  test("text that the service would read as something else is quoted", () => {
    for (const value of ["yes", "1e3", "0x10", "12", "null", "~", "on", "1_000"]) {
      const text = set("a: 1", ["b"], value);
      expect(text, value).toMatch(/b: ["']/);
    }
  });
});
