import type { Schema } from "@/api";
import type { Intent } from "@/kit";

export type Action = Schema<"AuditEntry">["action"];
export type Filter = { action: Action | ""; tool: string; text: string; session: string };
export const EVERYTHING: Filter = { action: "", tool: "", text: "", session: "" };

const INTENTS: Record<Action, Intent> = {
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

export const ACTIONS = Object.keys(INTENTS) as Action[];
const isAction = (text: string): text is Action => Object.hasOwn(INTENTS, text);

export const intentOf = (action: Action): Intent => INTENTS[action];

/** `auto_approved` → `auto-approved`. */
export const actionText = (action: Action): string => action.replaceAll("_", "-");

/** The filter in the URL. */
export function filterOf(params: URLSearchParams): Filter {
  const action = params.get("action") ?? "";
  return {
    action: isAction(action) ? action : "",
    tool: params.get("tool") ?? "",
    text: params.get("text") ?? "",
    session: params.get("session") ?? "",
  };
}
