import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { batch } from "./batch";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const many = (count: number) => Array.from({ length: count }, (_, at) => at);

test("what comes within a frame is told together, and with the frame", () => {
  const told: number[][] = [];
  const { add } = batch<number>((events) => told.push(events));
  add([1]);
  add([2, 3]);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(16);
  expect(told).toEqual([[1, 2, 3]]);
  add([4]);
  vi.advanceTimersByTime(16);
  expect(told).toEqual([[1, 2, 3], [4]]);
});

test("a long past is told once, when no more of it comes", () => {
  const told: number[] = [];
  const { add } = batch<number>((events) => told.push(events.length));
  for (let round = 0; round < 10; round++) {
    add(many(200));
    vi.advanceTimersByTime(50);
  }
  expect(told).toEqual([]);
  vi.advanceTimersByTime(200);
  expect(told).toEqual([2000]);
});

test("one that never ends is told every few seconds, and nothing of it is lost", () => {
  const told: number[] = [];
  const { add, flush } = batch<number>((events) => told.push(events.length));
  for (let round = 0; round < 100; round++) {
    add(many(100));
    vi.advanceTimersByTime(100);
  }
  expect(told).toHaveLength(3);
  flush();
  expect(told.reduce((sum, one) => sum + one, 0)).toBe(10_000);
});

test("nothing is told where nothing came", () => {
  const tell = vi.fn<() => void>();
  batch(tell).flush();
  vi.advanceTimersByTime(100);
  expect(tell).not.toHaveBeenCalled();
});
