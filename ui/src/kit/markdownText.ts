const OWN_HOST = /^\/(?![/\\])/;
const ABROAD = /^(https?:|mailto:)/i;

/** A link's address if it is allowed (http, https, mailto, this host), else null. */
export function safeLink(url: string | undefined): string | null {
  const clean = (url ?? "").trim();
  return OWN_HOST.test(clean) || ABROAD.test(clean) || clean.startsWith("#") ? clean : null;
}

/** An image's address if it is of this host, else null: a request would tell another host who reads what. */
export function safeImage(url: string | undefined): string | null {
  const clean = (url ?? "").trim();
  return OWN_HOST.test(clean) ? clean : null;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const GOES_ON = /^(\s|[-*+]\s|\d{1,9}[.)]\s)/;
/** A link definition may be used anywhere, so the text cannot be split. */
const REFERENCE = /^ {0,3}\[[^\]]+\]:/m;

/** The fence of the code block that is still open at the end of a text, else null. Pure. */
export const openFence = (text: string): string | null => text.split("\n").reduce(fenced, null);

function fenced(fence: string | null, line: string): string | null {
  const mark = FENCE.exec(line)?.[1];
  if (mark === undefined) return fence;
  if (fence === null) return mark;
  return mark.startsWith(fence) && line.trim() === mark ? null : fence;
}

/**
 * Splits a text into blocks that can be parsed alone, so that only the last one is parsed again while it grows. Pure.
 * A block ends at an empty line outside of code that is not followed by a list item or indentation.
 */
export function splitBlocks(text: string): string[] {
  if (REFERENCE.test(text)) return [text];
  const found: string[] = [];
  let current: string[] = [];
  let fence: string | null = null;
  let gap = false;
  for (const line of text.split("\n")) {
    if (fence === null && gap && line.trim() !== "" && !GOES_ON.test(line)) {
      found.push(current.join("\n"));
      current = [];
    }
    fence = fenced(fence, line);
    gap = fence === null && line.trim() === "";
    current.push(line);
  }
  found.push(current.join("\n"));
  return found.filter((piece) => piece.trim() !== "");
}
