/** Which later calls `allow for this session` means: chosen arguments, text with `*` for anything. Pure. */

import type { Args } from "./fields";

export interface ArgumentRule {
  name: string;
  /** Later calls must have it. */
  bound: boolean;
  /** What it must be; text may hold `*`. */
  value: unknown;
}

export const argumentRules = (args: Args): ArgumentRule[] =>
  Object.entries(args).map(([name, value]) => ({ name, bound: true, value }));

export const pattern = (rules: readonly ArgumentRule[]): Args =>
  Object.fromEntries(rules.filter((rule) => rule.bound).map((rule) => [rule.name, rule.value]));

/** What the pattern allows, in a sentence. */
export function allowed(tool: string, rules: readonly ArgumentRule[]): string {
  const bound = rules.filter((rule) => rule.bound);
  if (bound.length === 0) return `Every later call of ${tool} in this session runs without asking.`;
  const shown = bound.map(
    ({ name, value }) => `${name} is ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `Later calls of ${tool} in this session run without asking when ${shown.join(" and ")}.`;
}
