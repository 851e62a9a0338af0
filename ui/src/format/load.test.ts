import { expect, test } from "vitest";
import { levelName, loadName, loadOf, loadSaid, loadText } from "./load";

const closed = { concurrency: 8, rate: null };
const open = { concurrency: 0, rate: 0.5 };
const trace = { concurrency: 0, rate: null };

test("a rate is never called a concurrency", () => {
  expect([closed, open, trace].map(loadText)).toEqual(["8", "0.5/s", "own pace"]);
  expect([closed, open, trace].map(loadSaid)).toEqual(["concurrency 8", "0.5 requests/s", "its own pace"]);
  expect([closed, open, trace].map(loadOf)).toEqual([8, 0.5, 0]);
});

test("a level has the name that the service gives it", () => {
  const named = [closed, open, trace].map((load) => levelName({ scenario: "D(9,9)", ...load }));
  expect(named).toEqual(["D(9,9) × 8", "D(9,9) @ 0.5/s", "D(9,9)"]);
});

test("what rises is what the task varies", () => {
  expect(loadName({ num_concurrency: [1, 8] })).toBe("Concurrency");
  expect(loadName({ num_concurrency: [] })).toBe("Requests/s that come");
});
