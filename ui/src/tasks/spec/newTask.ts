/** What a new task begins with. Pure. */

import type { Schema } from "@/api";
import { SIMULATED_ENGINE } from "@/api/catalog";
import { toYaml } from "@/yaml/document";

/** The first engine that is installed here; the simulated one where there is no other. */
export function defaultEngine(engines: readonly Schema<"EngineInfo">[]): string {
  const real = engines.find((one) => one.installed && one.name !== SIMULATED_ENGINE);
  return (real ?? engines.find((one) => one.installed) ?? engines[0])?.name ?? SIMULATED_ENGINE;
}

export function newTask(engine: string): string {
  return toYaml({ base_runtime: engine, ...(engine === SIMULATED_ENGINE ? { model: "demo" } : {}) });
}
