/** Unsaved task files, kept for this tab over reloads and navigation. */

import { readStored, writeStored } from "@/state/storage";

const key = (name: string) => `task-draft:${name}`;

export const readUnsaved = (name: string) => readStored("session", key(name));
/** Null: saved or discarded. */
export const writeUnsaved = (name: string, text: string | null) => writeStored("session", key(name), text);
