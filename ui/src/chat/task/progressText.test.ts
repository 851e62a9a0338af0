import { expect, test } from "vitest";
import { applyEvent, EMPTY, type LiveTask, type TaskEvent } from "@/liveTask/reduce";
import { progressText } from "./progressText";

const after = (live: LiveTask, ...events: [kind: string, payload?: TaskEvent["payload"]][]) =>
  events.reduce(
    (before, [kind, payload = {}], sequence) =>
      applyEvent(before, { task_id: "t", sequence, kind, at: "2026-11-21T10:00:00Z", payload }),
    live,
  );

test("a task in a line: what has ended, what runs, and what that does", () => {
  const between = after(
    EMPTY,
    ["task_started"],
    ["experiment_started", { number: 0 }],
    ["experiment_finished", { number: 0, state: "completed" }],
    ["experiment_started", { number: 1 }],
    ["experiment_finished", { number: 1, state: "failed" }],
  );
  expect(progressText(between, "running", 9)).toBe(
    "2 of at most 9 experiments · 1 failed · choosing the next one",
  );
  const phase = { number: 2, phase: "measuring", scenario: "D(128,16)", concurrency: 8 };
  const measuring = after(between, ["experiment_started", { number: 2 }], ["phase", phase]);
  expect(progressText(measuring, "running", null)).toBe(
    "2 experiments · 1 failed · experiment 2 · measuring D(128,16) × 8",
  );
  expect(progressText(measuring, "completed", 9)).toBe("2 experiments · 1 failed");
});
