/** Makes the end of a text that still grows look as it will: nothing shows its markup first and its meaning later. */

const ROW = /^\s*\|/;
const RULE = /^\s*\|?(?:\s*:?-+:?\s*\|)+\s*:?-*:?\s*$/;
/** A link or picture whose address is still being written. */
const LINK = /(!?)\[([^\][]*)(?:\](?:\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)?)?$/;

export function settle(text: string): string {
  const fences = text.match(/^ {0,3}(?:`{3,}|~{3,})/gm)?.length ?? 0;
  if (fences % 2 === 1) return text;
  return closed(linked(tabled(text)));
}

/** The head of a table is no table before its rule has come. */
function tabled(text: string): string {
  const lines = text.split("\n");
  let first = lines.length;
  while (first > 0 && ROW.test(lines[first - 1] ?? "")) first--;
  const rows = lines.slice(first);
  if (rows.length === 0 || rows.length > 2) return text;
  return rows.length === 2 && RULE.test(rows[1] ?? "") ? text : lines.slice(0, first).join("\n");
}

function linked(text: string): string {
  const start = text.lastIndexOf("\n") + 1;
  const line = text.slice(start);
  if (odd(line, "`")) return text;
  return (
    text.slice(0, start) + line.replace(LINK, (_, picture: string, label: string) => (picture ? "" : label))
  );
}

/** Emphasis and code that began in the last line, and have no end yet, end there. */
function closed(text: string): string {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  if (odd(line, "`")) return line.endsWith("`") ? text.slice(0, -1) : `${text}\``;
  const bare = line.replace(/`[^`]*`/g, "");
  if (/^\s*\*$/.test(bare)) return text; // an item begins
  const dangling = odd(bare, "**") || /(?:^|\s)\*{1,2}$/.test(bare);
  const clean = dangling ? text.replace(/\*{1,2}$/, "") : text;
  return odd(clean.slice(text.length - line.length).replace(/`[^`]*`/g, ""), "**")
    ? `${clean.trimEnd()}**`
    : clean;
}

const odd = (text: string, mark: string): boolean => text.split(mark).length % 2 === 0;
