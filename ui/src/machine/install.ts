import type { Schema } from "@/api";

/** The commands that bring an engine, one for each environment that can hold it: any of them will do. */
export function installCommands({
  install,
  environments,
}: Pick<Schema<"EngineInfo">, "install" | "environments">): string[] {
  if (!install) return [];
  const list = environments.join(" | ");
  return install.endsWith(list) && environments.length > 1
    ? environments.map((name) => install.slice(0, -list.length) + name)
    : [install];
}
