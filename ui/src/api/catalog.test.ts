import { expect, test } from "vitest";
import { CATALOG } from "@/test/catalog";
import { engineCalled, isSimulated, optionsOf } from "./catalog";

test.each([
  ["trtllm", "tensorrt-llm"],
  ["vllm", "vllm"],
  ["mine", "mine"],
  [undefined, "vllm"],
  ["", "vllm"],
])("the engine of %j is %s", (named, engine) => expect(engineCalled(named, CATALOG)).toBe(engine));

test("without a catalog an engine has the name that the task gives it, and none is simulated", () => {
  expect(engineCalled("trtllm", undefined)).toBe("trtllm");
  expect(engineCalled(undefined, undefined)).toBe("");
  expect(isSimulated("simulated", CATALOG)).toBe(true);
  expect(isSimulated("simulated", undefined)).toBe(false);
});

test("an added row is a choice under its title; without a catalog there are no choices", () => {
  expect(optionsOf(CATALOG.strategies)).toContainEqual({ value: "tabu", label: "Tabu search" });
  expect(optionsOf(undefined)).toBeUndefined();
});
