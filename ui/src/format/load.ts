/** Load levels in words: so many requests at once in a closed loop, so many per second in an open one. */

export type Load = { concurrency: number; rate: number | null };

/** How heavy a level is, among those of its kind. */
export const loadOf = ({ concurrency, rate }: Load): number => concurrency || (rate ?? 0);

/** `8`, `4/s`, or that a trace has its own pace. */
export function loadText({ concurrency, rate }: Load): string {
  if (concurrency) return String(concurrency);
  return rate === null ? "own pace" : `${rate}/s`;
}

/** `concurrency 8`, `4 requests/s`. */
export function loadSaid({ concurrency, rate }: Load): string {
  if (concurrency) return `concurrency ${concurrency}`;
  return rate === null ? "its own pace" : `${rate} requests/s`;
}

/** `D(100,100) × 8`, `D(100,100) @ 4/s`, or the name of a trace alone. */
export function levelName({ scenario, concurrency, rate }: Load & { scenario: string }): string {
  if (concurrency) return `${scenario} × ${concurrency}`;
  return rate === null ? scenario : `${scenario} @ ${rate}/s`;
}

/** What rises from level to level. */
export const loadName = ({ num_concurrency }: { num_concurrency: readonly number[] }): string =>
  num_concurrency.length > 0 ? "Concurrency" : "Requests/s that come";
