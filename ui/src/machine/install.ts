import type { Schema } from "@/api";

/** Alternative install commands of an engine, one for each environment. */
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
