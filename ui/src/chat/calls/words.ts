/** Calls in words and figures. Pure. */

import { type Block, isBlock, lines, parsed } from "../json";
import type { Approval, CallEntry } from "../thread/model";
import type { CallStatus } from "../thread/views";

export const STATUS: Record<CallStatus, string> = {
  writing: "Being written",
  asking: "Waits for approval",
  approved: "Approved",
  running: "Running",
  done: "Done",
  failed: "Failed",
  rejected: "Rejected",
  expired: "Expired",
  cancelled: "Cancelled",
};

/** What was called with: as it was approved, or as the model wrote it. Null: not complete yet, or no JSON. */
export function argsOf(entry: CallEntry): Block | null {
  if (entry.approval !== null) return entry.approval.args;
  const args = parsed(entry.args === "" ? "{}" : entry.args);
  return isBlock(args) ? args : null;
}

const LONGEST = 60;

/** The arguments in a line: what is short, the rest as its kind. */
export function brief(args: Block): string {
  return Object.entries(args)
    .filter(([, value]) => value !== null && value !== "" && value !== false)
    .map(([name, value]) => `${name}: ${short(value)}`)
    .join(", ");
}

function short(value: unknown): string {
  if (Array.isArray(value)) {
    const plain = value.every((one) => typeof one !== "object") ? value.join(", ") : "";
    return plain !== "" && plain.length <= LONGEST ? plain : `${value.length} entries`;
  }
  if (isBlock(value)) {
    const name = ["task_name", "name", "id"].map((key) => value[key]).find((one) => typeof one === "string");
    return typeof name === "string" ? cut(name) : "{…}";
  }
  return cut(String(value));
}

const cut = (text: string) => {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`;
};

/** JSON with lines; what is none stays as it is. */
export function pretty(text: string): string {
  const value = parsed(text);
  return value === undefined ? text : lines(value);
}

/** How far a long tool is, in words. */
export function far(
  { progress }: CallEntry,
  size: (bytes: number) => string,
  count: (value: number) => string,
): string {
  if (progress === null) return "";
  const { done, total, unit, message } = progress;
  const figure = (value: number) => (unit === "bytes" ? size(value) : count(value));
  const counted = done === null ? "" : total === null ? figure(done) : `${figure(done)} of ${figure(total)}`;
  const named = counted !== "" && unit !== null && unit !== "bytes" ? `${counted} ${unit}` : counted;
  return [message, named].filter(Boolean).join(" · ");
}

/** Why a call did not do what it was meant to, in one line. */
export function reason(entry: CallEntry): string {
  const { approval } = entry;
  if (approval?.state === "rejected") return approval.reason ?? "";
  if (!entry.failed || entry.result === null) return "";
  return entry.result.replaceAll(/\s+/g, " ").trim();
}

/** The facts of a preview that is no plan: one line each. */
export function facts(preview: Approval["preview"]): [string, string][] {
  return Object.entries(preview)
    .filter(([name]) => name !== "fingerprint" && name !== "problem")
    .map(([name, value]) => [
      name.replaceAll("_", " "),
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]);
}
