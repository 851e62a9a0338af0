import { describe, expect, test } from "vitest";
import { EMPTY, grow, type LogLevel, levelOf, MOST, shown } from "./reduce";

const chunk = (text: string, experiment: number | null = null) => ({
  text,
  experiment,
  position: text.length,
});

describe("a log", () => {
  test("grows by whole lines, and marks where another experiment begins", () => {
    const log = [chunk("one\ntwo\n", 0), chunk("three\n", 0), chunk("four\n", 1)].reduce(grow, EMPTY);
    expect(log.lines.map((line) => line.text)).toEqual([
      "Experiment 0",
      "one",
      "two",
      "three",
      "Experiment 1",
      "four",
    ]);
    expect(log.lines.map((line) => line.id)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(log.lines.filter((line) => line.mark)).toHaveLength(2);
    expect(log).toMatchObject({ count: 6, marks: 2, experiment: 1 });
  });

  test("keeps empty lines, and the load generator's has no marks", () => {
    const log = grow(EMPTY, chunk("a\n\nb"));
    expect(log.lines.map((line) => line.text)).toEqual(["a", "", "b"]);
  });

  test("keeps its last lines only, however long it goes on", () => {
    let log = EMPTY;
    for (let at = 0; at < 30; at += 1) log = grow(log, chunk(`${"line\n".repeat(MOST / 10)}`));
    log = grow(log, chunk("the last\n"));
    expect(log.lines).toHaveLength(MOST);
    expect(log.count).toBe(3 * MOST + 1);
    expect(log.lines.at(-1)).toMatchObject({ text: "the last", id: 3 * MOST });
  });
});

describe("levels", () => {
  test.each<[string, LogLevel | null]>([
    ["INFO 11-21 10:00:00 [api.py:12] ready", "info"],
    ["(EngineCore pid=12) ERROR 11-21 10:00:00 [core.py:1] out of memory", "error"],
    ["[2026-11-21 10:00:00] WARNING: slow", "warning"],
    ["DEBUG: x", "debug"],
    ["Traceback (most recent call last):", "error"],
    ["torch.OutOfMemoryError: CUDA out of memory", "error"],
    ["no error here", null],
    ["", null],
  ])("of %j is %j", (line, level) => expect(levelOf(line)).toBe(level));

  test("of the lines of a traceback are those of an error, until a line has its own", () => {
    const text = "INFO a\nTraceback (most recent call last):\n  File x\nValueError: no\n\nINFO b\nplain\n";
    expect(grow(EMPTY, chunk(text)).lines.map((line) => line.level)).toEqual([
      "info",
      "error",
      "error",
      "error",
      "error",
      "info",
      "info",
    ]);
  });

  test("an indented line belongs to the one before, a plain one does not", () => {
    const { lines } = grow(EMPTY, chunk("WARNING a\n  more of it\nplain\n"));
    expect(lines.map((line) => line.level)).toEqual(["warning", "warning", "info"]);
  });
});

describe("what is shown", () => {
  const log = grow(EMPTY, chunk("DEBUG a\nINFO Banana\nWARNING c\nERROR banana split\n", 2));
  const texts = (least: LogLevel, search = "") => shown(log, least, search).map((line) => line.text);

  test("is everything, or from a level on", () => {
    expect(texts("debug")).toHaveLength(5);
    expect(texts("warning")).toEqual(["Experiment 2", "WARNING c", "ERROR banana split"]);
  });

  test("holds the text that is searched for, in any case", () => {
    expect(texts("debug", "banana")).toEqual(["INFO Banana", "ERROR banana split"]);
    expect(texts("error", " BANANA ")).toEqual(["ERROR banana split"]);
  });
});
