/** New entries, and changes to entries of a thread. Pure. */

import { type CallEntry, type Entry, isCall, type TextEntry, type Thread, type UserEntry } from "./model";

export const user = (id: string, at: number | null): UserEntry => ({ kind: "user", id, text: "", at });
export const written = (id: string): TextEntry => ({ kind: "text", id, text: "", streaming: true });
export const call = (id: string, tool: string, at: number | null): CallEntry => ({
  kind: "call",
  id,
  tool,
  args: "",
  written: false,
  approval: null,
  edited: false,
  progress: null,
  result: null,
  failed: false,
  over: false,
  startedAt: at,
  endedAt: null,
});

/** Appends an entry; replaces one with the same id. */
export function addEntry(thread: Thread, entry: Entry): Thread {
  const there = thread.entries.some((one) => one.id === entry.id);
  return there
    ? changeEntry(thread, entry.id, () => entry)
    : { ...thread, entries: [...thread.entries, entry] };
}

export function changeCall(thread: Thread, id: string, change: (entry: CallEntry) => CallEntry): Thread {
  return changeEntry(thread, id, (entry) => (isCall(entry) ? change(entry) : entry));
}

/** Changes the entry with an id, searched from the end. */
export function changeEntry(thread: Thread, id: string, change: (entry: Entry) => Entry): Thread {
  const place = thread.entries.findLastIndex((entry) => entry.id === id);
  const entry = thread.entries[place];
  return entry === undefined ? thread : { ...thread, entries: thread.entries.with(place, change(entry)) };
}
