import type { components } from "./schema";

/** A type of the service, by its name there: `Schema<"Task">`. */
export type Schema<N extends keyof components["schemas"]> = components["schemas"][N];
