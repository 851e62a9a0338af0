import { toYaml } from "@/yaml/document";
import type { Preset } from "./types";

/** What a preset says, as a file: its own name and words, and its part of a task. */
export function presetFile({
  name,
  description,
  engine,
  task,
}: Pick<Preset, "name" | "description" | "engine" | "task">): string {
  return toYaml({ name, ...(description ? { description } : {}), ...(engine ? { engine } : {}), task });
}

/** What a new one begins with: something that can be saved, to be changed. */
export const TEMPLATE = `name: my-preset
description: What it is for.
# engine: vllm            # only for this one; left out: for any
task:                     # any part of a task file but its task_name
  optimization:
    objective: maximize_throughput
  benchmark:
    num_concurrency: [1, 8, 32]
`;

/** The same under a name that is free: `chat-slo-copy`, `chat-slo-copy-2`. */
export function copyOfPreset(preset: Preset, taken: readonly string[]): string {
  const begin = `${preset.name}-copy`;
  let name = begin;
  for (let count = 2; taken.includes(name); count += 1) name = `${begin}-${count}`;
  return presetFile({ ...preset, name });
}

/** Found by what its name, description or engine say. */
export function searched(presets: readonly Preset[], text: string): Preset[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return presets.filter((one) => {
    const said = `${one.name} ${one.description} ${one.engine ?? ""}`.toLowerCase();
    return words.every((word) => said.includes(word));
  });
}

/** A document of several presets, as an export of all is. */
export function isCollection(data: Record<string, unknown> | null): boolean {
  return data !== null && Array.isArray(data.presets);
}
