/** Applies a preset to a task's text: mappings are merged, flags, lists and scalars replaced. Pure. */

import type { Schema } from "@/api";
import { get, isObject, type Path, read, set } from "@/yaml/document";

type Preset = Pick<Schema<"Preset">, "engine" | "task">;
/** Mappings whose entries are replaced as a whole. */
const WHOLE = ["parameters", "environment"];

export function applyPreset(text: string, { engine, task }: Preset): string {
  const { data } = read(text);
  let next = text;
  const foreign = engine !== null && get(data, ["base_runtime"]) !== engine;
  if (foreign) {
    // Another engine has other flags.
    next = set(set(next, ["parameters"], undefined), ["base_runtime"], engine);
  }
  return merge(next, [], task);
}

function merge(text: string, path: Path, block: Record<string, unknown>): string {
  return Object.entries(block).reduce((before, [key, value]) => {
    const place = [...path, key];
    const nested = isObject(value) && !WHOLE.includes(String(path[0]));
    return nested ? merge(before, place, value) : set(before, place, value);
  }, text);
}
