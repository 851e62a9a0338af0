import { expect, test } from "vitest";
import { best, follow, NOT_BEGUN, type TaskEvent } from "./progress";
import { course } from "./words";

let sequence = 0;
const event = (kind: string, payload: TaskEvent["payload"] = {}): TaskEvent => ({
  task_id: "t",
  sequence: ++sequence,
  kind,
  at: "2026-11-21T10:00:00Z",
  payload,
});
const ended = (number: number, role: string, value: number | null, feasible = true) =>
  event("experiment_finished", {
    number,
    role,
    state: value === null ? "failed" : "completed",
    values: value === null ? [] : [value],
    feasible,
  });
const after = (...events: TaskEvent[]) => events.reduce(follow, NOT_BEGUN);

const RUN = [
  event("task_queued"),
  event("task_started"),
  event("experiment_started", { number: 0 }),
  ended(0, "baseline", 100),
  event("experiment_started", { number: 1 }),
  ended(1, "candidate", 125),
  ended(2, "candidate", 300, false),
  ended(3, "candidate", null),
  event("experiment_started", { number: 4 }),
  event("phase", { number: 4, phase: "measuring", scenario: "D(128,16)", concurrency: 8 }),
];

test("counts what has ended, and says what runs", () => {
  const progress = after(...RUN);
  expect(progress).toMatchObject({
    state: "running",
    done: 4,
    failed: 1,
    number: 4,
    phase: "measuring D(128,16) × 8",
  });
  expect(course(progress, "running", 9)).toBe(
    "4 of at most 9 experiments · 1 failed · experiment 4 · measuring D(128,16) × 8",
  );
});

test("of several at once it speaks of the one that was started last", () => {
  const both = [event("experiment_started", { number: 5 }), event("phase", { number: 4, phase: "starting" })];
  expect(after(...RUN, ...both)).toMatchObject({ number: 5, phase: null });
  expect(after(...RUN, ...both, ended(4, "candidate", 130))).toMatchObject({ number: 5, done: 5 });
});

test("the best keeps to the SLOs, and is measured against the baseline", () => {
  expect(best(after(...RUN), "maximize")).toEqual({ number: 1, value: 125, gain: 0.25 });
});

test("where less is better, less is more", () => {
  expect(best(after(ended(0, "baseline", 2), ended(1, "candidate", 1.5)), "minimize")).toEqual({
    number: 1,
    value: 1.5,
    gain: 0.25,
  });
});

test("a confirmation is no new best, and without a baseline there is no gain", () => {
  const progress = after(ended(1, "candidate", 10), ended(2, "confirmation", 99));
  expect(best(progress, "maximize")).toEqual({ number: 1, value: 10, gain: null });
  expect(best(NOT_BEGUN, "maximize")).toBeNull();
});

test.each(["completed", "failed", "cancelled"] as const)(
  "a task that is %s has ended, and can be queued again",
  (state) => {
    const progress = after(...RUN, event("task_finished", { state, error: null }));
    expect(progress).toMatchObject({ state, number: null, phase: null });
    expect(follow(progress, event("task_queued")).state).toBe("queued");
  },
);
