/** A growing log: its last lines with levels. Pure. */

import type { Schema, StreamEvent } from "@/api";

export type LogLevel = "error" | "warning" | "info" | "debug";
export type Line = {
  /** Grows by one with each line. */
  id: number;
  text: string;
  level: LogLevel;
  /** A separator at the start of an experiment, not a line of the log. */
  mark?: boolean;
};
export type Log = {
  lines: readonly Line[];
  /** Number of all received lines, and of separators among them. */
  count: number;
  marks: number;
  experiment: number | null;
  /** Inside a traceback. */
  trace: boolean;
};

export const MOST = 5_000;
export const EMPTY: Log = { lines: [], count: 0, marks: 0, experiment: null, trace: false };

export const step = (log: Log, { data }: StreamEvent<Schema<"LogChunk">>): Log => grow(log, data);

export function grow(log: Log, { text, experiment }: Schema<"LogChunk">): Log {
  let { count, marks, trace } = log;
  const added: Line[] = [];
  const add = (line: Omit<Line, "id">) => added.push({ ...line, id: count++ });
  if (experiment !== null && experiment !== log.experiment) {
    add({ text: `Experiment ${experiment}`, level: "info", mark: true });
    marks += 1;
    trace = false;
  }
  let before: LogLevel = log.lines.at(-1)?.level ?? "info";
  for (const line of whole(text)) {
    const own = levelOf(line);
    if (own) trace = /^\s*Traceback \(most recent call last\)/.test(line) || (trace && !MARKED.test(line));
    before = own ?? (trace || /^\s+\S/.test(line) ? before : "info");
    add({ text: line, level: before });
  }
  return { lines: kept(log.lines, added), count, marks, experiment: experiment ?? log.experiment, trace };
}

function whole(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function kept(before: readonly Line[], added: readonly Line[]): readonly Line[] {
  const all = before.length + added.length;
  return all <= MOST ? [...before, ...added] : [...before, ...added].slice(all - MOST);
}

const MARKED = /\b(CRITICAL|FATAL|ERROR|WARNING|WARN|INFO|DEBUG|TRACE)\b/;
const LEVELS: Record<string, LogLevel> = {
  CRITICAL: "error",
  FATAL: "error",
  ERROR: "error",
  WARNING: "warning",
  WARN: "warning",
  INFO: "info",
  DEBUG: "debug",
  TRACE: "debug",
};
/** Characters of a line in which its level is searched. */
const HEAD = 90;

export function levelOf(line: string): LogLevel | null {
  const found = MARKED.exec(line.slice(0, HEAD))?.[1];
  if (found) return LEVELS[found] ?? null;
  return /^\s*Traceback |^[\w.]*(Error|Exception|Interrupt)\b:?/.test(line) ? "error" : null;
}

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warning: 2, error: 3 };

/** Lines of a minimum level that contain a text, ignoring case. */
export function shown({ lines }: Log, least: LogLevel, search: string): readonly Line[] {
  const wanted = search.trim().toLowerCase();
  if (least === "debug" && wanted === "") return lines;
  return lines.filter(
    (line) =>
      (line.mark ? wanted === "" : RANK[line.level] >= RANK[least]) &&
      (line.mark || line.text.toLowerCase().includes(wanted)),
  );
}
