import { describe, expect, test } from "vitest";
import { convertDomain, domainOf, domainToSpec } from "./domain";
import { valueOf, valuesOf, valuesText, valueText } from "./values";

describe("values", () => {
  test.each([
    ["8", 8],
    ["-0.5", -0.5],
    ["1e3", 1000],
    ["true", true],
    ["fp8", "fp8"],
    ['"8"', "8"],
    ["'true'", "true"],
    ["8x", "8x"],
    ["", ""],
  ])("%s is %j", (typed, value) => expect(valueOf(typed)).toBe(value));

  test("a list ends at commas outside of quotes and brackets", () => {
    expect(valuesOf('1, fp8, "a, b", {"x": 1, "y": 2},, ')).toEqual([1, "fp8", "a, b", '{"x": 1, "y": 2}']);
  });

  test.each([[[8, 0.5, true, "fp8"]], [["8", "true", "a, b", ' "x" ', "", "it's", '{"a": [1, 2]}']]])(
    "%j is read as it was written",
    (values) => {
      const kept = values.filter((one) => one !== "");
      expect(valuesOf(valuesText(kept))).toEqual(kept);
      for (const value of kept) expect(valueOf(valueText(value))).toBe(value);
    },
  );
});

test("only what would be taken for something else is quoted", () => {
  expect(valueText("D(100,100)")).toBe("D(100,100)");
  expect(["8", "a, b", "true", " x"].map(valueText)).toEqual(['"8"', '"a, b"', '"true"', '" x"']);
});

describe("domains", () => {
  test.each([
    8,
    "fp8",
    false,
    [1, 2],
    { type: "integer", low: 1, high: 8, step: 2 },
    { type: "continuous", low: 0.1, high: 1, log: true },
  ])("%j is said as it was", (raw) => {
    const domain = domainOf(raw);
    if (domain.kind === "other") throw new Error("not understood");
    expect(domainToSpec(domain)).toEqual(raw);
  });

  test("a closed choice is a list, and what is neither is left alone", () => {
    expect(domainOf({ type: "choice", values: ["a"] })).toEqual({ kind: "list", values: ["a"] });
    expect(domainOf({ type: "normal", mean: 1 })).toEqual({ kind: "other" });
    expect(domainOf([[1], [2]])).toEqual({ kind: "other" });
    expect(domainOf(null)).toEqual({ kind: "other" });
  });

  test("turning it keeps its values", () => {
    const list = domainOf([8, 16, 64]);
    expect(convertDomain(list, "range", 1)).toEqual({
      kind: "range",
      range: { type: "integer", low: 8, high: 64 },
    });
    expect(convertDomain(convertDomain(list, "range", 1), "list", 1)).toEqual({
      kind: "list",
      values: [8, 64],
    });
    expect(convertDomain(list, "one", 1)).toEqual({ kind: "one", value: 8 });
    expect(convertDomain({ kind: "other" }, "list", true)).toEqual({ kind: "list", values: [true] });
    expect(convertDomain(domainOf([0.5, 1]), "range", 1)).toMatchObject({ range: { type: "continuous" } });
  });
});
