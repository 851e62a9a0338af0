import type { components } from "./schema";

/** A type of the OpenAPI schema: `Schema<"Task">`. */
export type Schema<N extends keyof components["schemas"]> = components["schemas"][N];
