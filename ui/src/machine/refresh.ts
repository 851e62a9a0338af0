/** Polling intervals: there is no stream of these. */
export const OFTEN_MS = 5_000;
export const SELDOM_MS = 15_000;
