/** An engine's flags, for the form. Pure. */

import type { Schema } from "@/api";
import type { Domain } from "../spec/domain";
import { type Value, valueOf } from "../spec/values";

export type Flag = Schema<"Flag">;

const SHOWN = 60;

/** The known values of a flag. */
export function choicesOf(flag: Flag | undefined): readonly Value[] {
  if (!flag) return [];
  if (flag.choices && flag.choices.length > 0) return flag.choices.map(valueOf);
  return flag.takes_value === false ? [true, false] : [];
}

/** Initial domain of an added flag: its choices if there are two, else the engine's default. */
export function initialDomain(flag: Flag | undefined): Exclude<Domain, { kind: "other" }> {
  const choices = choicesOf(flag);
  if (choices.length > 0 && choices.length <= 2) return { kind: "list", values: choices };
  const standard = flag?.default;
  const known = standard !== undefined && standard !== null && standard !== "" && standard !== "None";
  return { kind: "list", values: known ? [valueOf(standard)] : choices.slice(0, 1) };
}

/** Flags that match a text and are not used yet; matches of names first. */
export function searchFlags(flags: readonly Flag[], typed: string, there: ReadonlySet<string>): Flag[] {
  const text = typed.trim().toLowerCase().replace(/^-+/, "").replaceAll("_", "-");
  const rank = ({ name, help = "" }: Flag) =>
    name.startsWith(text) ? 0 : name.includes(text) ? 1 : help.toLowerCase().includes(text) ? 2 : 3;
  return flags
    .filter((flag) => !there.has(flag.name) && rank(flag) < 3)
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
    .slice(0, SHOWN);
}

/** One spelling: `--max_num_seqs` is `max-num-seqs`. */
export const flagName = (typed: string): string => typed.trim().replace(/^-+/, "").replaceAll("_", "-");
export const isFlagName = (name: string): boolean => /^[A-Za-z][A-Za-z0-9.-]{0,99}$/.test(name);
