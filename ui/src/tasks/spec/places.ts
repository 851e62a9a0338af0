/** Problems that the service reports, by field. Pure. */

import type { Schema } from "@/api";
import type { Path } from "@/yaml/document";

export type Place = Schema<"Place">;

/** Older names of keys, and what the form calls them. */
const NOW: Record<string, string> = { "model.name": "model.id_or_path", model: "model.id_or_path" };

const plain = (part: string) => part.replace(/^-+/, "").replaceAll("_", "-");
const same = (a: string, b: string) => plain(a) === plain(b);

/** Problems of a path and of paths below it. */
export function problemAt(places: readonly Place[], path: Path): string | undefined {
  const wanted = path.join(".");
  const found = places.filter(({ where }) => covers(wanted, NOW[where] ?? where));
  return found.length === 0 ? undefined : [...new Set(found.map((one) => one.message))].join("; ");
}

function covers(path: string, where: string): boolean {
  const [a, b] = [path.split("."), where.split(".")];
  return a.length <= b.length && a.every((part, at) => same(part, b[at] ?? ""));
}

/** The keys of a place for people: `optimization › max_iterations`. */
export const pathText = (where: string): string => where.split(".").join(" › ");
