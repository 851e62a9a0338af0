import { isObject, type JsonObject } from "./json";

const LONGEST = 60;

/** A tool call's arguments in a line; long values are abbreviated. */
export function argsSummary(args: JsonObject): string {
  return Object.entries(args)
    .filter(([, value]) => value !== null && value !== "" && value !== false)
    .map(([name, value]) => `${name}: ${short(value)}`)
    .join(", ");
}

function short(value: unknown): string {
  if (Array.isArray(value)) {
    const plain = value.every((one) => typeof one !== "object") ? value.join(", ") : "";
    return plain !== "" && plain.length <= LONGEST ? plain : `${value.length} entries`;
  }
  if (isObject(value)) {
    const name = ["task_name", "name", "id"].map((key) => value[key]).find((one) => typeof one === "string");
    return typeof name === "string" ? cut(name) : "{…}";
  }
  return cut(String(value));
}

const cut = (text: string) => {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`;
};
