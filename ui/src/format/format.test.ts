import { describe, expect, test } from "vitest";
import { ago, bytes, compact, count, duration, gib, latency, number, percent, plural, tokenRate } from ".";

describe("numbers", () => {
  test.each([
    [0, "0"],
    [0.012345, "0.0123"],
    [3.14159, "3.14"],
    [84.26, "84.3"],
    [999.6, "1,000"],
    [1234.5, "1,235"],
    [-2.5, "-2.5"],
    [NaN, "–"],
  ])("%s reads %s", (value, text) => expect(number(value)).toBe(text));

  test("counts have separators, and a plural", () => {
    expect(count(12345)).toBe("12,345");
    expect(plural(1, "task")).toBe("1 task");
    expect(plural(0, "task")).toBe("0 tasks");
    expect(plural(2, "entry", "entries")).toBe("2 entries");
    expect(compact(12345)).toBe("12.3K");
  });
});

describe("percent", () => {
  test.each([
    [0.1234, "+12.3 %"],
    [-0.04, "−4 %"],
    [0, "±0 %"],
    [0.0001, "±0 %"],
    [2.5, "+250 %"],
    [12.5, "+1,250 %"],
    [1, "+100 %"],
  ])("a change of %s reads %s", (part, text) => expect(percent(part, { sign: true })).toBe(text));

  test("a part has no plus", () => expect(percent(0.5)).toBe("50 %"));
});

describe("units", () => {
  test("latencies are milliseconds until they are long", () => {
    expect(latency(0.0842)).toBe("84.2 ms");
    expect(latency(1.5)).toBe("1,500 ms");
    expect(latency(12.34)).toBe("12.3 s");
  });

  test("rates and sizes carry their unit", () => {
    expect(tokenRate(1234.4)).toBe("1,234 tok/s");
    expect(gib(80)).toBe("80 GiB");
    expect(gib(0.5)).toBe("512 MiB");
    expect(bytes(1536)).toBe("1.5 KiB");
  });
});

describe("times", () => {
  test.each([
    [0.0042, "0 s"],
    [0.84, "0.84 s"],
    [9.97, "10 s"],
    [59.6, "1 min"],
    [200, "3 min 20 s"],
    [7500, "2 h 5 min"],
    [273_600, "3 d 4 h"],
    [-1, "–"],
  ])("%s seconds read %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  const at = "2026-11-21T10:00:00Z";
  test.each([
    [10, "just now"],
    [70, "1 min ago"],
    [7300, "2 h ago"],
    [90_000, "yesterday"],
    [3 * 86_400, "3 days ago"],
    [40 * 86_400, "21 Nov 2026"],
  ])("%s seconds later it reads %s", (seconds, text) =>
    expect(ago(at, Date.parse(at) + seconds * 1000)).toBe(text),
  );
});
