/** Initial text of a new task. Pure. */

import { type Catalog, isSimulated, type Schema } from "@/api";
import { toYaml } from "@/yaml/document";

/** The first installed engine; a simulated one if there is no other. Undefined: none is installed. */
export function firstEngine(
  engines: readonly Schema<"EngineInfo">[],
  catalog: Catalog | undefined,
): string | undefined {
  const installed = engines.filter((one) => one.installed);
  return (installed.find((one) => !isSimulated(one.name, catalog)) ?? installed[0])?.name;
}

export function newTask(engine: string | undefined, catalog: Catalog | undefined): string {
  return toYaml({ base_runtime: engine, model: isSimulated(engine, catalog) ? "demo" : undefined });
}
