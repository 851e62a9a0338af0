/** Task files that were not saved yet, kept for this tab: a reload, or a look at another page, loses nothing. */

import { readStored, writeStored } from "@/state/storage";

const key = (name: string) => `task-draft:${name}`;

export const readUnsaved = (name: string) => readStored("session", key(name));
/** Null: it was saved, or given up. */
export const writeUnsaved = (name: string, text: string | null) => writeStored("session", key(name), text);
