/** What is wrong with a text, line by line, for the editor. Pure. */

import type { Draft } from "../draft/yaml";
import { type Place, trail } from "../draft/places";

export type Mark = { line: number; message: string };

/** A text that is no YAML has only that to be said of it; what the service found is of the text as it was. */
export function marksOf({ flaws }: Draft, places: readonly Place[]): readonly Mark[] {
  if (flaws.length > 0) return flaws;
  return places.map(({ line, where, message }) => ({
    line: line ?? 1,
    message: line === null && where ? `${trail(where)}: ${message}` : message,
  }));
}

/** The part of a text that changed, so that a cursor beside it stays where it is. */
export function difference(before: string, after: string): { from: number; to: number; insert: string } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}
