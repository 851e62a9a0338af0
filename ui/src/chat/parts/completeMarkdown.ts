/** Completes or holds back unfinished Markdown at the end of a streamed text, so that no raw markup is shown. */

import { openFence } from "@/kit/markdownText";

const FENCE = /^ {0,3}(?:`{3,}|~{3,})/;
/** A line that has only markup yet: of a heading, list item, task, rule, code or quote. */
const MARK =
  /^(?:\s|>)*(?:#{1,6}|`{1,2}|~{1,2}|[-=_]+|\*{1,3}|\+|(?:(?:[-*+]|\d{1,9}[.)])\s+)?(?:\d{1,9}[.)]?|\[[ xX]?\]?|[-*+]))?\s*$/;
const ROW = /^\s*\|/;
const RULE = /^\s*\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*$/;
/** A link or picture whose address is still being written. */
const LINK = /(!?)\[([^\][]*)(?:\](?:\((?:[^()\s]|\([^()\s]*\)?)*(?:\s+(?:"[^"]*"?)?)?)?)?$/;

export function completeMarkdown(text: string): string {
  const start = text.lastIndexOf("\n") + 1;
  const line = text.slice(start);
  const before = text.slice(0, start);
  // A fence is shown when its line is complete, with its language.
  if (FENCE.test(line)) return openFence(before) === null ? before : text;
  if (openFence(before) !== null) return /^ {0,3}(?:`{1,2}|~{1,2})$/.test(line) ? before : text;
  if (MARK.test(line)) return tabled(before);
  return tabled(before + closed(linked(line)));
}

/** Holds back a table's header until its delimiter row is complete. */
function tabled(text: string): string {
  const lines = text.split("\n");
  let first = lines.at(-1) === "" ? lines.length - 1 : lines.length;
  while (first > 0 && ROW.test(lines[first - 1] ?? "")) first--;
  const [head, rule, ...more] = lines.slice(first).filter((line) => line !== "");
  if (head === undefined || more.length > 0) return text;
  const isTable = rule !== undefined && RULE.test(rule) && columns(rule) === columns(head);
  return isTable ? text : lines.slice(0, first).join("\n");
}

const columns = (row: string): number =>
  row.replaceAll("\\|", "").trim().replace(/^\|/, "").replace(/\|$/, "").split("|").length;

/** Replaces an unfinished link by its text, an unfinished image by nothing; outside of code spans. */
function linked(line: string): string {
  const ticked = odd(line) ? `${line}\`` : line;
  const found = LINK.exec(ticked.replaceAll(/`[^`]*`/g, (code) => "x".repeat(code.length)));
  if (found === null) return line;
  const [, picture, label = ""] = found;
  const from = found.index + 1;
  return line.slice(0, found.index) + (picture ? "" : line.slice(from, from + label.length));
}

/** Closes open emphasis and code spans at the end of the line. */
function closed(line: string): string {
  const code = !odd(line) ? line : line.endsWith("`") ? line.slice(0, -1) : `${line}\``;
  const bare = code.replaceAll(/`[^`]*`/g, (ticks) => "x".repeat(ticks.length));
  const open: string[] = [];
  let end = code.length;
  for (const { 0: stars, index } of bare.matchAll(/\*{1,2}/g)) {
    const after = bare[index + stars.length];
    if (open.at(-1) === stars && /\S/.test(bare[index - 1] ?? " ")) open.pop();
    else if (after === undefined) end = index;
    else if (/\S/.test(after)) open.push(stars);
  }
  const shown = code.slice(0, end);
  return open.length === 0 ? shown : shown.trimEnd() + open.reverse().join("");
}

const odd = (line: string): boolean => line.split("`").length % 2 === 0;
