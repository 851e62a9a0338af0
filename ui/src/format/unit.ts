import { number } from "./number";

/** A latency, given in seconds: `84.2 ms`, from ten seconds on `12.3 s`. */
export function latency(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  return Math.abs(seconds) < 10 ? `${number(seconds * 1000)} ms` : `${number(seconds)} s`;
}

/** Tokens per second. */
export function tokenRate(value: number): string {
  return `${number(value)} tok/s`;
}

/** Requests per second. */
export function requestRate(value: number): string {
  return `${number(value)} req/s`;
}

/** Memory, given in GiB. */
export function gib(value: number): string {
  return Math.abs(value) < 1 && value !== 0 ? `${number(value * 1024)} MiB` : `${number(value)} GiB`;
}

const STEPS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A size in bytes. */
export function bytes(value: number): string {
  let step = 0;
  while (Math.abs(value) >= 1024 && step < STEPS.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${number(value)} ${STEPS[step]}`;
}
