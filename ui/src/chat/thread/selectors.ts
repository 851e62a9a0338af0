/** Selectors of a thread. */

import { isObject, parseJson, asText } from "@/format/json";
import { type Approval, type CallEntry, type Entry, isCall, type Thread, type UserEntry } from "./model";

/** Tools whose answer is the task that they have started. */
const STARTING_TOOLS: readonly string[] = ["start_task", "resume_task"];

export type CallStatus =
  "writing" | "asking" | "approved" | "running" | "done" | "failed" | "rejected" | "expired" | "cancelled";

/** Whether an approval can still be decided at a time. */
export const isOpen = (approval: Approval, now: number): boolean =>
  approval.state === "open" && Date.parse(approval.expires_at) > now;

export function callStatus(entry: CallEntry, running: boolean, now: number): CallStatus {
  const { approval } = entry;
  if (approval !== null && approval.state !== "approved") {
    if (approval.state !== "open") return approval.state;
    return isOpen(approval, now) && !entry.over ? "asking" : "expired";
  }
  if (entry.result !== null) return entry.failed ? "failed" : "done";
  if (entry.over) return "cancelled";
  if (approval !== null && !running) return "approved";
  return entry.written ? "running" : "writing";
}

/** Open approvals in order. */
export function openApprovals(thread: Thread, now: number): Approval[] {
  return thread.entries.flatMap((entry) =>
    isCall(entry) && entry.approval !== null && callStatus(entry, false, now) === "asking"
      ? [entry.approval]
      : [],
  );
}

/** When the next of these expires; null: there is none. */
export function nextExpiry(approvals: readonly Approval[]): number | null {
  return approvals.length === 0 ? null : Math.min(...approvals.map((one) => Date.parse(one.expires_at)));
}

export const isRunning = (thread: Thread): boolean => thread.frame?.kind === "run";

/** A run is active without visible output: no text is streamed, no call runs. */
export function isThinking(thread: Thread): boolean {
  const last = thread.entries.at(-1);
  if (!isRunning(thread)) return false;
  if (last?.kind === "text") return !last.streaming || last.text === "";
  return last?.kind !== "call" || last.result !== null;
}

/** The user's message of the turn that ends at an index; null: the turn was unprompted. */
export function asked(entries: readonly Entry[], end: number): UserEntry | null {
  for (let place = end - 1; place >= 0; place--) {
    const entry = entries[place];
    if (entry?.kind === "user") return entry;
    if (entry?.kind === "notice") return null;
  }
  return null;
}

/** The assistant's text in the turn that ends at an index, as Markdown. */
export function answer(entries: readonly Entry[], end: number): string {
  const said: string[] = [];
  for (let place = end - 1; place >= 0; place--) {
    const entry = entries[place];
    if (entry?.kind === "text") said.unshift(entry.text);
    if (entry?.kind === "user" || entry?.kind === "notice" || entry?.kind === "end") break;
  }
  return said.join("\n\n").trim();
}

/** The task that a call has started, else null. */
export function startedTask(entry: CallEntry): string | null {
  if (!STARTING_TOOLS.includes(entry.tool) || entry.failed || entry.result === null) return null;
  const said = parseJson(entry.result);
  return isObject(said) ? asText(said.id) : null;
}

/** Ids of the last call that started each task: these show the live card. */
export function latestStarts(entries: readonly Entry[]): ReadonlySet<string> {
  const calls = new Map<string, string>();
  for (const entry of entries) {
    const task = isCall(entry) ? startedTask(entry) : null;
    if (task !== null) calls.set(task, entry.id);
  }
  return new Set(calls.values());
}
