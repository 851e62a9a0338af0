/** Values of flags and variables as people type them, `16, 32, "a, b"`, and back. Pure. */

export type Value = boolean | number | string;

const NUMBER = /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/;

export const isValue = (value: unknown): value is Value =>
  typeof value === "boolean" || typeof value === "number" || typeof value === "string";

/** Parses a typed value: true, false, numbers, else text; `"8"` is text. */
export function valueOf(typed: string): Value {
  const text = typed.trim();
  if (text === "true" || text === "false") return text === "true";
  if (NUMBER.test(text) && Number.isFinite(Number(text))) return Number(text);
  return unquoted(text);
}

function unquoted(text: string): string {
  if (text.length >= 2 && text.startsWith('"') && text.endsWith('"')) {
    try {
      const said: unknown = JSON.parse(text);
      if (typeof said === "string") return said;
    } catch {
      return text.slice(1, -1);
    }
  }
  return text.length >= 2 && text.startsWith("'") && text.endsWith("'") ? text.slice(1, -1) : text;
}

export function valueText(value: Value): string {
  if (typeof value !== "string") return String(value);
  const read = valuesOf(value);
  // Quoted where it would be parsed otherwise.
  return read.length === 1 && read[0] === value ? value : JSON.stringify(value);
}

/** Parses a list, split at commas outside of quotes and brackets. */
export function valuesOf(typed: string): Value[] {
  const parts: string[] = [];
  let [part, depth, quote] = ["", 0, ""];
  for (let at = 0; at < typed.length; at += 1) {
    const char = typed[at] ?? "";
    if (quote) {
      if (char === "\\" && quote === '"') part += char + (typed[++at] ?? "");
      else part += char;
      if (char === quote) quote = "";
      continue;
    }
    if (char === "," && depth === 0) {
      parts.push(part);
      part = "";
      continue;
    }
    if ((char === '"' || char === "'") && part.trim() === "") quote = char;
    if ("[{(".includes(char)) depth += 1;
    if ("]})".includes(char)) depth = Math.max(0, depth - 1);
    part += char;
  }
  return [...parts, part].filter((one) => one.trim() !== "").map(valueOf);
}

export const valuesText = (values: readonly Value[]): string => values.map(valueText).join(", ");
