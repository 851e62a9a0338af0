/** Form fields from the JSON schema of a tool's arguments, and the conversion of their texts. Pure. */

import type { Schema } from "@/api";
import { type JsonObject, asObject, prettyJson, parseJson } from "@/format/json";

export type Args = JsonObject;
export type Kind = "text" | "long" | "choice" | "number" | "integer" | "boolean" | "list" | "json";

export interface FieldSpec {
  name: string;
  kind: Kind;
  help: string;
  required: boolean;
  choices: readonly string[];
}

/** Texts of the fields; empty optional ones are omitted from the call. */
export type Texts = Readonly<Record<string, string>>;
/** By field; the empty name has the others. */
export type Errors = Readonly<Record<string, string>>;

/** Strings that may be longer get a multi-line field. */
const LONG = 500;

export function fields(schema: JsonObject): FieldSpec[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(asObject(schema.properties)).map(([name, raw]) => {
    const property = asObject(raw);
    return {
      name,
      kind: kind(property),
      help: typeof property.description === "string" ? property.description : "",
      required: required.includes(name),
      choices: Array.isArray(property.enum) ? property.enum.map(String) : [],
    };
  });
}

function kind(property: JsonObject): Kind {
  if (Array.isArray(property.enum) && property.enum.every((one) => typeof one === "string")) return "choice";
  switch (property.type) {
    case "string":
      return typeof property.maxLength === "number" && property.maxLength > LONG ? "long" : "text";
    case "number":
    case "integer":
    case "boolean":
      return property.type;
    case "array":
      return asObject(property.items).type === "string" ? "list" : "json";
    default:
      return "json";
  }
}

export function texts(specs: readonly FieldSpec[], args: Args): Texts {
  return Object.fromEntries(specs.map((spec) => [spec.name, written(spec.kind, args[spec.name])]));
}

function written(kind: Kind, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (kind === "list" && Array.isArray(value)) return value.join("\n");
  if (kind === "json") return prettyJson(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Arguments parsed from the fields, and parse errors; the service validates the rest. */
export function read(specs: readonly FieldSpec[], typed: Texts): { args: Args; errors: Errors } {
  const args: Args = {};
  const errors: Record<string, string> = {};
  for (const spec of specs) {
    const text = typed[spec.name] ?? "";
    if (text.trim() === "" && !(spec.required && (spec.kind === "text" || spec.kind === "long"))) {
      if (spec.required) errors[spec.name] = "This is needed.";
      continue;
    }
    const value = valueOf(spec.kind, text);
    if (value === undefined) errors[spec.name] = UNREADABLE[spec.kind] ?? "This cannot be read.";
    else args[spec.name] = value;
  }
  return { args, errors };
}

const UNREADABLE: Partial<Record<Kind, string>> = {
  number: "This must be a number, such as 0.5.",
  integer: "This must be a whole number.",
  json: "This is no valid JSON.",
};

/** Undefined: it cannot be read. */
function valueOf(kind: Kind, text: string): unknown {
  switch (kind) {
    case "number":
    case "integer": {
      const value = Number(text);
      return Number.isFinite(value) && (kind === "number" || Number.isSafeInteger(value)) ? value : undefined;
    }
    case "boolean":
      return text === "true";
    case "list":
      return text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "");
    case "json":
      return parseJson(text);
    default:
      return text;
  }
}

/** The service's problems by field. */
export function placed(specs: readonly FieldSpec[], places: readonly Schema<"Place">[]): Errors {
  const errors: Record<string, string> = {};
  for (const place of places) {
    const where = place.where ?? "";
    const path = where.replace(/^body\.(?:args\.)?/, "");
    const name = specs.find((spec) => path === spec.name || path.startsWith(`${spec.name}.`))?.name ?? "";
    const inside = name === "" ? path : path.slice(name.length + 1);
    const line = inside === "" ? place.message : `${inside}: ${place.message}`;
    errors[name] = errors[name] === undefined ? line : `${errors[name]}\n${line}`;
  }
  return errors;
}
