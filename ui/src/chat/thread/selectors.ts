/** What is read off a thread. */

import { STARTING_TOOLS } from "@/api/catalog";
import { isObject, parseJson, asText } from "@/format/json";
import { type Approval, type CallEntry, type Entry, isCall, type Thread, type UserEntry } from "./model";

export type CallStatus =
  "writing" | "asking" | "approved" | "running" | "done" | "failed" | "rejected" | "expired" | "cancelled";

/** An approval that can still be decided at a time. */
export const isOpen = (approval: Approval, now: number): boolean =>
  approval.state === "open" && Date.parse(approval.expires_at) > now;

export function callStatus(entry: CallEntry, isRunning: boolean, now: number): CallStatus {
  const { approval } = entry;
  if (approval !== null && approval.state !== "approved") {
    if (approval.state !== "open") return approval.state;
    return isOpen(approval, now) && !entry.over ? "asking" : "expired";
  }
  if (entry.result !== null) return entry.failed ? "failed" : "done";
  if (entry.over) return "cancelled";
  if (approval !== null && !isRunning) return "approved";
  return entry.written ? "running" : "writing";
}

/** Those that wait for a decision, in the order in which they were asked for. */
export function openApprovals(thread: Thread, now: number): Approval[] {
  return thread.entries.flatMap((entry) =>
    isCall(entry) && entry.approval !== null && callStatus(entry, false, now) === "asking"
      ? [entry.approval]
      : [],
  );
}

/** When the next of these will have expired; null: nothing waits. */
export function nextExpiry(approvals: readonly Approval[]): number | null {
  return approvals.length === 0 ? null : Math.min(...approvals.map((one) => Date.parse(one.expires_at)));
}

export const running = (thread: Thread): boolean => thread.frame?.kind === "run";

/** The assistant works, and nothing on the page shows it: no text grows, no call runs. */
export function isThinking(thread: Thread): boolean {
  const last = thread.entries.at(-1);
  if (!running(thread)) return false;
  if (last?.kind === "text") return !last.streaming || last.text === "";
  return last?.kind !== "call" || last.result !== null;
}

/** What was asked in the turn that ends at a place; null: the assistant spoke by itself. */
export function asked(entries: readonly Entry[], end: number): UserEntry | null {
  for (let place = end - 1; place >= 0; place--) {
    const entry = entries[place];
    if (entry?.kind === "user") return entry;
    if (entry?.kind === "notice") return null;
  }
  return null;
}

/** What the assistant wrote in the turn that ends at a place, as Markdown. */
export function answer(entries: readonly Entry[], end: number): string {
  const said: string[] = [];
  for (let place = end - 1; place >= 0; place--) {
    const entry = entries[place];
    if (entry?.kind === "text") said.unshift(entry.text);
    if (entry?.kind === "user" || entry?.kind === "notice" || entry?.kind === "end") break;
  }
  return said.join("\n\n").trim();
}

/** The task that a call has put to work; null: none. */
export function startedTask(entry: CallEntry): string | null {
  if (!STARTING_TOOLS.includes(entry.tool) || entry.failed || entry.result === null) return null;
  const said = parseJson(entry.result);
  return isObject(said) ? asText(said.id) : null;
}

/** For every task that was put to work here, the call that did it last: its card is the live one. */
export function latestStarts(entries: readonly Entry[]): ReadonlySet<string> {
  const calls = new Map<string, string>();
  for (const entry of entries) {
    const task = isCall(entry) ? startedTask(entry) : null;
    if (task !== null) calls.set(task, entry.id);
  }
  return new Set(calls.values());
}
