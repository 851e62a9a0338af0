/** What a new task begins with. Pure. */

import type { Schema } from "@/api";
import { written } from "./yaml";

/** The first engine that is installed here; the simulated one where there is no other. */
export function usualEngine(engines: readonly Schema<"EngineInfo">[]): string {
  const real = engines.find((one) => one.installed && one.name !== "simulated");
  return (real ?? engines.find((one) => one.installed) ?? engines[0])?.name ?? "simulated";
}

export function newTask(engine: string): string {
  return written({ base_runtime: engine, ...(engine === "simulated" ? { model: "demo" } : {}) });
}
