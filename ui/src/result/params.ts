import type { Params, Value } from "./types";

/** All parameters of a configuration by name. */
export function flatParams(params: Params): Record<string, Value> {
  return { ...params.parallel, ...params.quant, ...params.flags, ...params.env };
}

/** Names of parameters that differ between configurations; unset counts as a value. */
export function variedParams(all: readonly Params[]): string[] {
  const flats = all.map(flatParams);
  const names = new Set(flats.flatMap((one) => Object.keys(one)));
  return [...names].filter((name) => new Set(flats.map((one) => JSON.stringify(one[name]))).size > 1);
}

/** Text of a value; booleans are on or off. */
export function valueText(value: Value | undefined): string {
  if (value === undefined) return "default";
  return typeof value === "boolean" ? (value ? "on" : "off") : String(value);
}

export type ParamChange = { name: string; from: Value | undefined; to: Value | undefined };

/** Parameters that differ between two configurations. */
export function paramChanges(from: Params, to: Params): ParamChange[] {
  const [before, after] = [flatParams(from), flatParams(to)];
  return [...new Set([...Object.keys(after), ...Object.keys(before)])]
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ name, from: before[name], to: after[name] }));
}

/** Numbers by size, then everything else by name; what is not set comes first. */
export function compareValues(a: Value | undefined, b: Value | undefined): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number" || typeof b === "number") return typeof a === "number" ? -1 : 1;
  return String(a).localeCompare(String(b));
}
