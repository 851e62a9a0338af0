export { type Catalog, engineCalled, isSimulated, optionsOf, useCatalog } from "./catalog";
export { api, call, send, sendText } from "./client";
export { connection, type Connection } from "./connection";
export { follow, type StreamEvent, type StreamState } from "./follow";
export { ApiError, problemOf, type Problem } from "./problem";
export { queries } from "./queries";
export type { Schema } from "./types";
export { type EventStream, useEventStream } from "./useEventStream";
export { useStreamReducer } from "./useStreamReducer";
