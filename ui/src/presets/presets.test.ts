import { describe, expect, test } from "vitest";
import { moved } from "./move";
import { copyOfPreset, isCollection, presetFile, searched } from "./presetFile";
import type { Preset } from "./types";

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
    const text = presetFile(preset("chat", { engine: "vllm" }));
    expect(text).toMatch(/^name: chat\nengine: vllm\ntask:\n/);
    expect(text).not.toContain("description");
    expect(text).not.toContain("built_in");
  });

  test("a copy has a name that is free", () => {
    expect(copyOfPreset(preset("a"), ["a"])).toMatch(/^name: a-copy\n/);
    expect(copyOfPreset(preset("a"), ["a", "a-copy", "a-copy-2"])).toMatch(/^name: a-copy-3\n/);
  });

  test("are found by every word of name, description or engine", () => {
    const all = [preset("chat-slo", { description: "For people" }), preset("fast", { engine: "vllm" })];
    expect(searched(all, "PEOPLE chat").map((one) => one.name)).toEqual(["chat-slo"]);
    expect(searched(all, "vllm").map((one) => one.name)).toEqual(["fast"]);
    expect(searched(all, "  ")).toHaveLength(2);
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
