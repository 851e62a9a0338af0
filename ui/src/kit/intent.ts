/** Meaning of a colour; `neutral` has none. */
export type Intent = "neutral" | "accent" | "ok" | "warn" | "bad" | "info";

export const BADGE_CLASS: Record<Intent, string> = {
  neutral: "bg-hover text-muted",
  accent: "bg-accent-soft text-accent-text",
  ok: "bg-ok-soft text-ok",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  info: "bg-info-soft text-info",
};

export const TEXT_CLASS: Record<Intent, string> = {
  neutral: "text-muted",
  accent: "text-accent-text",
  ok: "text-ok",
  warn: "text-warn",
  bad: "text-bad",
  info: "text-info",
};
