/** Text in the browser's storage, per tab (`session`) or permanent (`local`). Storage that is off counts as empty. */

type Kind = "local" | "session";
const storageOf = (kind: Kind): Storage => (kind === "local" ? localStorage : sessionStorage);

export function readStored(kind: Kind, key: string): string | null {
  try {
    return storageOf(kind).getItem(key);
  } catch {
    return null;
  }
}

/** Null removes it. */
export function writeStored(kind: Kind, key: string, text: string | null): void {
  try {
    if (text === null) storageOf(kind).removeItem(key);
    else storageOf(kind).setItem(key, text);
  } catch {
    // Storage is off or full: it holds until the page is left.
  }
}
