/** What is wrong with a text, line by line, for the editor. Pure. */

import type { ParsedYaml, YamlError } from "@/yaml/document";
import { type Place, pathText } from "../spec/places";

/** A text that is no YAML has only that to be said of it; what the service found is of the text as it was. */
export function marksOf({ errors }: ParsedYaml, places: readonly Place[]): readonly YamlError[] {
  if (errors.length > 0) return errors;
  return places.map(({ line, where, message }) => ({
    line: line ?? 1,
    message: line === null && where ? `${pathText(where)}: ${message}` : message,
  }));
}
