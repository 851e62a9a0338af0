/** Errors of a task by line, for the YAML editor. Pure. */

import type { ParsedYaml, YamlError } from "@/yaml/document";
import { type Place, pathText } from "../spec/places";

/** Syntax errors, else the problems that the service found. */
export function marksOf({ errors }: ParsedYaml, places: readonly Place[]): readonly YamlError[] {
  if (errors.length > 0) return errors;
  return places.map(({ line, where, message }) => ({
    line: line ?? 1,
    message: line === null && where ? `${pathText(where)}: ${message}` : message,
  }));
}
