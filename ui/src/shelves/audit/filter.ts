import type { Tone } from "@/kit";
import type { Entry } from "./entries";

export type Filter = { action: string; tool: string; text: string; session: string };
export const EVERYTHING: Filter = { action: "", tool: "", text: "", session: "" };

/** Newest first: those that a filter leaves. */
export function filtered(entries: readonly Entry[], { action, tool, text, session }: Filter): Entry[] {
  const wanted = text.trim().toLowerCase();
  return entries
    .filter(
      (one) =>
        (!action || one.action === action) &&
        (!tool || one.tool === tool) &&
        (!session || one.session_id === session) &&
        (!wanted || said(one).includes(wanted)),
    )
    .reverse();
}

function said(entry: Entry): string {
  return `${entry.action} ${entry.tool ?? ""} ${entry.who ?? ""} ${entry.session_id ?? ""} ${JSON.stringify(entry.detail)}`.toLowerCase();
}

/** Every value that entries have, for a list to choose from. */
export function present(entries: readonly Entry[], of: "action" | "tool"): string[] {
  return [...new Set(entries.flatMap((one) => one[of] ?? []))].sort();
}

const TONES: Record<string, Tone> = {
  approved: "ok",
  edited: "ok",
  auto_approved: "info",
  granted: "info",
  finished: "ok",
  rejected: "bad",
  denied: "bad",
  refused: "bad",
  failed: "bad",
  revoked: "warn",
  expired: "warn",
  cancelled: "warn",
};

export function toneOf(action: string): Tone {
  return TONES[action] ?? "neutral";
}

/** `auto_approved` → `auto-approved`. */
export function actionText(action: string): string {
  return action.replaceAll("_", "-");
}
