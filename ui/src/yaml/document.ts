/** YAML 1.1 or JSON text of a task, as the service reads it; changed key by key, comments kept. Pure. */

import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  YAMLMap,
  type YAMLSeq,
} from "yaml";
import { isObject, type JsonObject } from "@/format/json";

export { isObject, type JsonObject };

export type Path = readonly (string | number)[];
/** A syntax error. `line` is 1-based. */
export type YamlError = { line: number; message: string };
/** A text and its data; `data` is null where it cannot be parsed. */
export type ParsedYaml = { text: string; data: JsonObject | null; errors: readonly YamlError[] };

const EXOTIC = /:(omap|pairs|set|binary|timestamp|merge)$/;
const LINE = { lineWidth: 0, flowCollectionPadding: false } as const;
/** Order of a task's keys when the form adds them. */
const ORDER = [
  "task_name",
  "description",
  "deployment_mode",
  "base_runtime",
  "runtime_image_tag",
  "model",
  "parameters",
  "parallel_config",
  "quant_config",
  "environment",
  "constraints",
  "optimization",
  "benchmark",
  "slo",
  "budget",
];

function parsed(text: string): Document {
  return parseDocument(text, {
    version: "1.1",
    prettyErrors: true,
    logLevel: "silent",
    customTags: (tags) => tags.filter((tag) => typeof tag === "string" || !EXOTIC.test(tag.tag)),
  });
}

export function read(text: string): ParsedYaml {
  const document = parsed(text);
  const errors = document.errors.map((error) => ({
    line: error.linePos?.[0].line ?? 1,
    message: (error.message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, ""),
  }));
  if (errors.length > 0) return { text, data: null, errors };
  const data: unknown = document.toJS();
  if (data === null || data === undefined) return { text, data: {}, errors };
  if (isObject(data)) return { text, data, errors };
  return {
    text,
    data: null,
    errors: [{ line: 1, message: "A task is a block of keys, such as task_name: my task" }],
  };
}

/** Text of an imported file: JSON becomes YAML, line ends become \n. */
export function importText(text: string): string {
  const plain = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  if (!/^\s*\{/.test(plain)) return plain;
  let data: unknown;
  try {
    data = JSON.parse(plain);
  } catch {
    return plain;
  }
  return isObject(data) ? toYaml(data) : plain;
}

/** A task's data as YAML. */
export function toYaml(data: JsonObject): string {
  return Object.entries(data).reduce((text, [key, value]) => set(text, [key], value), "");
}

export function get(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return value[Number(key)] as unknown;
    return isObject(value) ? value[String(key)] : undefined;
  }, data);
}

/** The text with another value at a path; undefined removes it, with the mappings that become empty. */
export function set(text: string, path: Path, value: unknown): string {
  const document = parsed(text);
  if (document.errors.length > 0) return text;
  if (!isMap(document.contents)) document.contents = new YAMLMap(document.schema);
  if (value === undefined) remove(document, path);
  else put(document, path, value);
  return document.toString(LINE);
}

function put(document: Document, path: Path, value: unknown): void {
  for (let depth = 1; depth < path.length; depth += 1) {
    const place = path.slice(0, depth);
    const there = document.getIn(place, true);
    if (isCollection(there)) continue;
    const map = new YAMLMap(document.schema);
    // A model may be written as its id alone.
    if (place.join() === "model" && isScalar(there)) map.set("id_or_path", there);
    add(document, place, map);
  }
  const node = isNode(value) ? value : document.createNode(value);
  if (isSeq(node) || isMap(node)) flow(node, path.length);
  add(document, path, node);
}

/** Lists of scalars and ranges get flow style (one line), everything else block style. */
function flow(node: YAMLMap | YAMLSeq, depth: number): void {
  const values: unknown[] = isMap(node) ? node.items.map((pair) => pair.value) : node.items;
  node.flow = values.every((one) => isScalar(one)) && (depth > 1 || isSeq(node));
  if (!node.flow) for (const one of values) if (isMap(one) || isSeq(one)) flow(one, depth + 1);
}

function add(document: Document, path: Path, node: unknown): void {
  const before = document.getIn(path, true);
  if (isNode(before) && isNode(node)) {
    node.comment = before.comment;
    node.commentBefore = before.commentBefore;
    node.spaceBefore = before.spaceBefore;
  }
  const fresh = !document.hasIn(path);
  document.setIn(path, node);
  if (fresh && path.length === 1) place(document.contents as YAMLMap, String(path[0]));
}

/** Moves a new key to its place in ORDER. */
function place(map: YAMLMap, key: string): void {
  const rank = ORDER.indexOf(key);
  const at = map.items.findIndex((pair) => ORDER.indexOf(String(pair.key)) > rank);
  const pair = map.items.at(-1);
  if (rank < 0 || at < 0 || !pair) return;
  map.items.pop();
  map.items.splice(at, 0, pair);
}

function remove(document: Document, path: Path): void {
  if (!document.hasIn(path)) return;
  document.deleteIn(path);
  const above = path.slice(0, -1);
  const rest = above.length > 0 ? document.getIn(above, true) : null;
  if (isCollection(rest) && rest.items.length === 0) remove(document, above);
}
