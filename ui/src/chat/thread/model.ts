/** Model of a conversation: entries in order, and the current turn. */

import type { Schema } from "@/api";

export type Approval = Schema<"Approval">;
/** An event of the session's stream. */
export type AguiEvent = Schema<"AguiEvent">;

export interface Usage {
  input: number;
  output: number;
}

/** Progress that a tool reports; each part may be missing. */
export interface Progress {
  done: number | null;
  total: number | null;
  unit: string | null;
  message: string | null;
}

export interface UserEntry {
  kind: "user";
  id: string;
  text: string;
  at: number | null;
}

export interface TextEntry {
  kind: "text";
  id: string;
  text: string;
  /** More of it is to come. */
  streaming: boolean;
}

export interface CallEntry {
  kind: "call";
  id: string;
  tool: string;
  /** JSON; a beginning of it while it is written. */
  args: string;
  written: boolean;
  approval: Approval | null;
  /** Approved with other arguments than the model wrote. */
  edited: boolean;
  progress: Progress | null;
  /** JSON where the tool answered, a sentence where it failed. */
  result: string | null;
  failed: boolean;
  /** Its turn has ended: no result will follow. */
  over: boolean;
  startedAt: number | null;
  endedAt: number | null;
}

/** Why the assistant writes unprompted: a task that was started here has ended. */
export interface NoticeEntry {
  kind: "notice";
  id: string;
  at: number | null;
}

/** The end of a turn. */
export interface EndEntry {
  kind: "end";
  id: string;
  outcome: "done" | "cancelled" | "failed";
  /** Why it failed. */
  message: string | null;
  /** Under which the service's log has the rest. */
  errorId: string | null;
  model: string | null;
  usage: Usage;
  at: number | null;
}

export type Entry = UserEntry | TextEntry | CallEntry | NoticeEntry | EndEntry;

/** From a message to the end of the answer; decisions split it into several runs. */
export interface Turn {
  model: string | null;
  usage: Usage;
}

export interface Thread {
  entries: readonly Entry[];
  /** What the stream is in: a run of the assistant's, or a frame around what happens between two runs. */
  frame: { id: string; kind: "run" | "between" } | null;
  /** The current turn: running, or waiting for decisions. */
  turn: Turn | null;
}

export const EMPTY: Thread = { entries: [], frame: null, turn: null };

export const isCall = (entry: Entry): entry is CallEntry => entry.kind === "call";
