/** There is no stream of these: they are asked for again while somebody looks. */
export const OFTEN_MS = 5_000;
export const SELDOM_MS = 15_000;
