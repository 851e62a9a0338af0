import type { Schema } from "@/api";

export type Rule = Schema<"Rule">;
export type RuleKind = "deny" | "ask" | "allow";
export type OrderedRule = { kind: RuleKind; rule: Rule };

/** Rules in order of evaluation: deny, ask, allow. */
export function orderedRules({ deny, ask, allow }: Schema<"Policy">): OrderedRule[] {
  const of =
    (kind: RuleKind) =>
    (rule: Rule): OrderedRule => ({ kind, rule });
  return [...deny.map(of("deny")), ...ask.map(of("ask")), ...allow.map(of("allow"))];
}

const LONGEST = 60;

/** A pattern of arguments in a line, long values cut: `task is demo*, force is true`. */
export function patternText(pattern: Record<string, unknown>): string {
  return Object.entries(pattern)
    .map(
      ([name, value]) =>
        `${name} is ${cut(typeof value === "string" && value !== "" ? value : JSON.stringify(value))}`,
    )
    .join(", ");
}

const cut = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
