/** Texts that the browser keeps, for a tab (`session`) or for good (`local`); where it keeps none, there are none. */

type Kind = "local" | "session";
const storageOf = (kind: Kind): Storage => (kind === "local" ? localStorage : sessionStorage);

export function readStored(kind: Kind, key: string): string | null {
  try {
    return storageOf(kind).getItem(key);
  } catch {
    return null;
  }
}

/** Null takes it away. */
export function writeStored(kind: Kind, key: string, text: string | null): void {
  try {
    if (text === null) storageOf(kind).removeItem(key);
    else storageOf(kind).setItem(key, text);
  } catch {
    // Storage is off or full: it holds until the page is left.
  }
}
