import { expect } from "@playwright/test";

/** Prints a figure beside its limit. Above it the run goes on, and fails in the end. */
export function figure(name: string, value: number, limit: number, unit: string): void {
  const said = (one: number) => `${one.toFixed(unit === "s" || unit === "MB" ? 2 : 0)} ${unit}`;
  const mark = value <= limit ? "✓" : "✗";
  process.stdout.write(`  ${mark} ${name.padEnd(62)} ${said(value).padStart(9)}, at most ${said(limit)}\n`);
  expect.soft(value, name).toBeLessThanOrEqual(limit);
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
