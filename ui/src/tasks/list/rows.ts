/** Rows of the task list: all tasks, updated by the running ones, filtered. Pure. */

import type { Schema } from "@/api";

export type Row = Schema<"TaskSummary"> & {
  /** The most experiments there will be, if known. */
  total?: number | null;
};
export type Group = "all" | "active" | "created" | "completed" | "failed" | "cancelled";
export type Filter = { group: Group; engine: string; text: string };

const GROUPS: Record<Group, (state: Row["state"]) => boolean> = {
  all: () => true,
  active: (state) => state === "running" || state === "queued",
  created: (state) => state === "created",
  completed: (state) => state === "completed",
  failed: (state) => state === "failed",
  cancelled: (state) => state === "cancelled",
};

export const GROUP_NAMES = Object.keys(GROUPS) as Group[];
export const isGroup = (value: string | null): value is Group => value !== null && value in GROUPS;

export function merged(all: readonly Row[], active: readonly Row[]): readonly Row[] {
  if (active.length === 0) return all;
  const newer = new Map(active.map((row) => [row.id, row]));
  const known = new Set(all.map((row) => row.id));
  return [...active.filter((row) => !known.has(row.id)), ...all.map((row) => newer.get(row.id) ?? row)];
}

/** Whether a task has started or ended since the list was loaded. */
export function isOutdated(all: readonly Row[], active: readonly Row[]): boolean {
  const running = new Set(active.map((row) => row.id));
  const listed = new Set(all.filter((row) => GROUPS.active(row.state)).map((row) => row.id));
  return [...listed].some((id) => !running.has(id)) || [...running].some((id) => !listed.has(id));
}

export function filtered(rows: readonly Row[], { group, engine, text }: Filter): readonly Row[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (group === "all" && engine === "" && words.length === 0) return rows;
  return rows.filter((row) => {
    if (!GROUPS[group](row.state) || (engine !== "" && row.engine !== engine)) return false;
    if (words.length === 0) return true;
    const all = `${row.name} ${row.model} ${row.engine} ${row.id}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** Number of tasks in each group. */
export function counted(rows: readonly Row[]): Record<Group, number> {
  const counts: Record<Group, number> = {
    all: 0,
    active: 0,
    created: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
  };
  for (const { state } of rows) for (const group of GROUP_NAMES) if (GROUPS[group](state)) counts[group] += 1;
  return counts;
}

export const enginesOf = (rows: readonly Row[]): string[] =>
  [...new Set(rows.map((row) => row.engine))].sort();
