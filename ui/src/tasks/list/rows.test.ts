import { describe, expect, test } from "vitest";
import { counted, enginesOf, filtered, isOutdated, merged, type Row } from "./rows";

const row = (id: string, more: Partial<Row> = {}): Row => ({
  id,
  name: `task ${id}`,
  state: "completed",
  engine: "vllm",
  mode: "local",
  model: "org/model",
  error: null,
  created_at: "2026-11-21T10:00:00Z",
  started_at: null,
  finished_at: null,
  completed: 0,
  failed: 0,
  gain: null,
  ...more,
});
const ROWS = [
  row("a", { state: "running", name: "Llama chat" }),
  row("b", { engine: "sglang", model: "Qwen/Qwen2.5" }),
  row("c", { state: "queued" }),
  row("d", { state: "created" }),
];
const ids = (rows: readonly Row[]) => rows.map((one) => one.id);
const all = { group: "all", engine: "", text: "" } as const;

describe("the list", () => {
  test("shows what is newer of the tasks that run, and those it has not seen", () => {
    const found = merged(ROWS, [
      row("a", { state: "running", completed: 5 }),
      row("new", { state: "queued" }),
    ]);
    expect(ids(found)).toEqual(["new", "a", "b", "c", "d"]);
    expect(found[1]?.completed).toBe(5);
  });

  test("is outdated when a task has begun or ended since", () => {
    const active = ROWS.filter((one) => one.state === "running" || one.state === "queued");
    expect(isOutdated(ROWS, active)).toBe(false);
    expect(isOutdated(ROWS, active.slice(1))).toBe(true);
    expect(isOutdated(ROWS, [...active, row("d", { state: "queued" })])).toBe(true);
  });

  test("is filtered by state, engine and words, in any case and order", () => {
    expect(filtered(ROWS, all)).toBe(ROWS);
    expect(ids(filtered(ROWS, { ...all, group: "active" }))).toEqual(["a", "c"]);
    expect(ids(filtered(ROWS, { ...all, engine: "sglang" }))).toEqual(["b"]);
    expect(ids(filtered(ROWS, { ...all, text: "chat LLAMA" }))).toEqual(["a"]);
    expect(ids(filtered(ROWS, { ...all, text: "qwen", group: "created" }))).toEqual([]);
  });

  test("knows how many there are of each kind", () => {
    expect(counted(ROWS)).toEqual({ all: 4, active: 2, created: 1, completed: 1, failed: 0, cancelled: 0 });
    expect(enginesOf(ROWS)).toEqual(["sglang", "vllm"]);
  });
});
