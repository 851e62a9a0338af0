/** Texts that were not saved yet, kept for this tab: a reload, or a look at another page, loses nothing. */

const key = (name: string) => `task-draft:${name}`;

export function storeUnsaved(name: string, text: string): void {
  try {
    sessionStorage.setItem(key(name), text);
  } catch {
    // Storage may be off or full: then nothing is kept.
  }
}

export function readUnsaved(name: string): string | null {
  try {
    return sessionStorage.getItem(key(name));
  } catch {
    return null;
  }
}

export function clearUnsaved(name: string): void {
  try {
    sessionStorage.removeItem(key(name));
  } catch {
    // As above.
  }
}
