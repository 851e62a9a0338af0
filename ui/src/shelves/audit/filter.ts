import type { Schema } from "@/api";
import type { Tone } from "@/kit";
import type { Entry } from "./entries";

export type Action = Schema<"AuditEntry">["action"];
export type Filter = { action: Action | ""; tool: string; text: string; session: string };
export const EVERYTHING: Filter = { action: "", tool: "", text: "", session: "" };

const TONES: Record<Action, Tone> = {
  proposed: "neutral",
  approved: "ok",
  edited: "ok",
  auto_approved: "info",
  rejected: "bad",
  denied: "bad",
  granted: "info",
  revoked: "warn",
  expired: "warn",
  cancelled: "warn",
  started: "neutral",
  finished: "ok",
  failed: "bad",
  refused: "bad",
};

export const ACTIONS = Object.keys(TONES) as Action[];
const isAction = (text: string): text is Action => Object.hasOwn(TONES, text);

export const toneOf = (action: Action): Tone => TONES[action];

/** `auto_approved` → `auto-approved`. */
export const actionText = (action: Action): string => action.replaceAll("_", "-");

/** What is looked for, as the address says it. */
export function filterOf(params: URLSearchParams): Filter {
  const action = params.get("action") ?? "";
  return {
    action: isAction(action) ? action : "",
    tool: params.get("tool") ?? "",
    text: params.get("text") ?? "",
    session: params.get("session") ?? "",
  };
}

/** Every tool of some entries, and the one that is chosen, for a list to choose from. */
export function toolsOf(entries: readonly Entry[], chosen: string): string[] {
  return [...new Set([...entries.flatMap(({ tool }) => tool ?? []), ...(chosen ? [chosen] : [])])].sort();
}
