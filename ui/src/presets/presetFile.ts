import { toYaml } from "@/yaml/document";
import type { Preset } from "./types";

/** A preset as a YAML file. */
export function presetFile({
  name,
  description,
  engine,
  task,
}: Pick<Preset, "name" | "description" | "engine" | "task">): string {
  return toYaml({ name, ...(description ? { description } : {}), ...(engine ? { engine } : {}), task });
}

/** Initial text of a new preset; valid as it is. */
export const TEMPLATE = `name: my-preset
description: What it is for.
# engine: vllm            # only for this one; left out: for any
task:                     # any part of a task file but its task_name
  optimization:
    objective: maximize_throughput
  benchmark:
    num_concurrency: [1, 8, 32]
`;

/** A copy under an unused name: `chat-slo-copy`, `chat-slo-copy-2`. */
export function copyOfPreset(preset: Preset, taken: readonly string[]): string {
  const begin = `${preset.name}-copy`;
  let name = begin;
  for (let count = 2; taken.includes(name); count += 1) name = `${begin}-${count}`;
  return presetFile({ ...preset, name });
}

/** Presets whose name, description and engine contain every word. */
export function searched(presets: readonly Preset[], text: string): Preset[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return presets.filter((one) => {
    const said = `${one.name} ${one.description} ${one.engine ?? ""}`.toLowerCase();
    return words.every((word) => said.includes(word));
  });
}

/** Whether a document holds several presets, as an export does. */
export function isCollection(data: Record<string, unknown> | null): boolean {
  return data !== null && Array.isArray(data.presets);
}
