export { compact, count, number, percent, plural } from "./number";
export { ago, dateTime, duration, timeOfDay } from "./time";
export { bytes, gib, latency, requestRate, tokenRate } from "./unit";
