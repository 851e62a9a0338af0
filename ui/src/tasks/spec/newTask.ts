/** Initial text of a new task. Pure. */

import type { Schema } from "@/api";
import { SIMULATED_ENGINE } from "@/api/catalog";
import { toYaml } from "@/yaml/document";

/** The first installed engine; the simulated one if there is no other. */
export function defaultEngine(engines: readonly Schema<"EngineInfo">[]): string {
  const real = engines.find((one) => one.installed && one.name !== SIMULATED_ENGINE);
  return (real ?? engines.find((one) => one.installed) ?? engines[0])?.name ?? SIMULATED_ENGINE;
}

export function newTask(engine: string): string {
  return toYaml({ base_runtime: engine, ...(engine === SIMULATED_ENGINE ? { model: "demo" } : {}) });
}
