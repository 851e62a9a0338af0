/** Domain of a flag: a value, a list or a range; converted between form and task. Pure. */

import type { Schema } from "@/api";
import { isObject } from "@/yaml/document";
import { isValue, type Value } from "./values";

export type Range = Partial<Pick<Schema<"IntegerInput">, "low" | "high" | "step" | "log">> & {
  type: "integer" | "continuous";
};
export type Domain =
  | { kind: "one"; value: Value }
  | { kind: "list"; values: readonly Value[] }
  | { kind: "range"; range: Range }
  /** Not editable in the form. */
  | { kind: "other" };

export function domainOf(raw: unknown): Domain {
  if (isValue(raw)) return { kind: "one", value: raw };
  const values = Array.isArray(raw)
    ? (raw as unknown[])
    : isObject(raw) && Array.isArray(raw.values)
      ? (raw.values as unknown[])
      : null;
  if (values) return values.every(isValue) ? { kind: "list", values } : { kind: "other" };
  if (!isObject(raw) || (raw.type !== "integer" && raw.type !== "continuous")) return { kind: "other" };
  return {
    kind: "range",
    range: { ...pick(raw, "low", "high", "step"), log: raw.log === true, type: raw.type },
  };
}

function pick(
  raw: Record<string, unknown>,
  ...names: ("low" | "high" | "step")[]
): Omit<Range, "type" | "log"> {
  return Object.fromEntries(
    names.flatMap((name) => (typeof raw[name] === "number" ? [[name, raw[name]]] : [])),
  );
}

export function domainToSpec(domain: Exclude<Domain, { kind: "other" }>): unknown {
  switch (domain.kind) {
    case "one":
      return domain.value;
    case "list":
      return [...domain.values];
    case "range": {
      const { type, low, high, step, log } = domain.range;
      return {
        type,
        ...(low === undefined ? {} : { low }),
        ...(high === undefined ? {} : { high }),
        ...(log ? { log } : step === undefined || step === null ? {} : { step }),
      };
    }
  }
}

/** Converts a domain to another kind, keeping its values where possible. */
export function convertDomain(domain: Domain, kind: "one" | "list" | "range", fallback: Value): Domain {
  const values: readonly Value[] =
    domain.kind === "one"
      ? [domain.value]
      : domain.kind === "list"
        ? domain.values
        : domain.kind === "range"
          ? ends(domain.range)
          : [];
  if (kind === "one") return { kind, value: values[0] ?? fallback };
  if (kind === "list") return { kind, values: values.length > 0 ? values : [fallback] };
  const numbers = values.filter((one) => typeof one === "number");
  const whole = numbers.every(Number.isInteger);
  const range: Range = { type: whole ? "integer" : "continuous" };
  if (numbers.length > 0) Object.assign(range, { low: Math.min(...numbers), high: Math.max(...numbers) });
  return { kind, range };
}

function ends({ low, high }: Range): Value[] {
  return [low, high].filter((one) => one !== undefined);
}
