/** Texts about tool calls. Pure. */

import { type JsonObject, isObject, prettyJson, parseJson } from "@/format/json";
import type { Approval, CallEntry } from "../thread/model";
import type { CallStatus } from "../thread/selectors";

export const STATUS_TEXT: Record<CallStatus, string> = {
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

/** A call's arguments, as approved or as written by the model. Null: incomplete or no JSON object. */
export function argsOf(entry: CallEntry): JsonObject | null {
  if (entry.approval !== null) return entry.approval.args;
  const args = parseJson(entry.args === "" ? "{}" : entry.args);
  return isObject(args) ? args : null;
}

/** Indented JSON; other text unchanged. */
export function prettyResult(text: string): string {
  const value = parseJson(text);
  return value === undefined ? text : prettyJson(value);
}

/** Progress of a long call. */
export function progressText(
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

/** Why a call failed or was rejected, in one line. */
export function failureReason(entry: CallEntry): string {
  const { approval } = entry;
  if (approval?.state === "rejected") return approval.reason ?? "";
  if (!entry.failed || entry.result === null) return "";
  return entry.result.replaceAll(/\s+/g, " ").trim();
}

/** Entries of a preview that is no plan. */
export function previewFacts(preview: Approval["preview"]): [string, string][] {
  return Object.entries(preview)
    .filter(([name]) => name !== "fingerprint" && name !== "problem")
    .map(([name, value]) => [
      name.replaceAll("_", " "),
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]);
}
