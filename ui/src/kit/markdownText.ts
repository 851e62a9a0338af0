const OWN_HOST = /^\/(?![/\\])/;
const ABROAD = /^(https?:|mailto:)/i;

/** Where a link of Markdown may lead: http, https, mailto, a place of this page. Null: nowhere. */
export function safeLink(url: string | undefined): string | null {
  const clean = (url ?? "").trim();
  return OWN_HOST.test(clean) || ABROAD.test(clean) || clean.startsWith("#") ? clean : null;
}

/** Where a picture may come from: this service only, for asking another host would tell it who reads what. */
export function safeImage(url: string | undefined): string | null {
  const clean = (url ?? "").trim();
  return OWN_HOST.test(clean) ? clean : null;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const GOES_ON = /^(\s|[-*+]\s|\d{1,9}[.)]\s)/;
/** Referred to from anywhere, so that the text is only understood as a whole. */
const REFERENCE = /^ {0,3}\[[^\]]+\]:/m;

/** What fences the code that a text ends in; null: it does not end in code. Pure. */
export const openFence = (text: string): string | null => text.split("\n").reduce(fenced, null);

function fenced(fence: string | null, line: string): string | null {
  const mark = FENCE.exec(line)?.[1];
  if (mark === undefined) return fence;
  if (fence === null) return mark;
  return mark.startsWith(fence) && line.trim() === mark ? null : fence;
}

/**
 * The text in pieces that mean the same alone, so that while it grows only the last one is read again. Pure.
 * A piece ends at an empty line outside of code, where what follows is no item and not indented.
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
