import { expect, test } from "vitest";
import { argsSummary } from "./argsSummary";

test("what is short is shown, the rest as its kind", () => {
  expect(argsSummary({ task: "t1", limit: 3, allow: ["a", "b"], replace: false, note: null })).toBe(
    "task: t1, limit: 3, allow: a, b",
  );
  expect(argsSummary({ task: { task_name: "demo", model: "m" }, other: { x: 1 } })).toBe(
    "task: demo, other: {…}",
  );
  expect(argsSummary({ body: "x".repeat(200) })).toHaveLength("body: ".length + 60);
});
