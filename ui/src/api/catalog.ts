/** What can be chosen, from the tables of the service: an added row appears on the page with the words it brings. */

import { useQuery } from "@tanstack/react-query";
import { queries } from "./queries";
import type { Schema } from "./types";

export type Catalog = Schema<"Catalog">;

/** Undefined while it is loading, and where it fails. */
export const useCatalog = (): Catalog | undefined => useQuery(queries.catalog()).data;

/** The engine that a task means by its `base_runtime`; empty: it names none, and the default is not known. */
export function engineCalled(name: unknown, catalog: Catalog | undefined): string {
  const named = typeof name === "string" && name !== "";
  const found = catalog?.engines.find((one) => (named ? one.aliases.includes(name) : one.default));
  return found?.name ?? (named ? name : "");
}

/** Whether what is measured on an engine says nothing about real hardware. */
export const isSimulated = (engine: string | undefined, catalog: Catalog | undefined): boolean =>
  catalog?.engines.some((one) => one.simulated && one.name === engine) ?? false;

/** For a list to choose from; undefined: what there is, is not known. */
export const optionsOf = (entries: readonly { name: string; title: string }[] | undefined) =>
  entries?.map(({ name, title }) => ({ value: name, label: title }));
