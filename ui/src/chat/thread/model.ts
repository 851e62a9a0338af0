/** A conversation as it is drawn: entries in the order in which they began, and the turn that goes on. */

import type { Schema } from "@/api";

export type Approval = Schema<"Approval">;
/** What the session's stream carries. */
export type AguiEvent = Schema<"AguiEvent">;

export interface Usage {
  input: number;
  output: number;
}

/** What a long tool reports of itself; each part may be missing. */
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
  /** Its turn is over: without a result, none will come. */
  over: boolean;
  startedAt: number | null;
  endedAt: number | null;
}

/** Why the assistant speaks though nobody has asked: a task that was started here has ended. */
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

/** From what was said to its end, over as many runs as decisions cut it into. */
export interface Turn {
  model: string | null;
  usage: Usage;
}

export interface Thread {
  entries: readonly Entry[];
  /** What the stream is in: a run of the assistant's, or a frame around what happens between two runs. */
  frame: { id: string; kind: "run" | "between" } | null;
  /** The turn that is not over: it runs, or it waits for decisions. */
  turn: Turn | null;
}

export const EMPTY: Thread = { entries: [], frame: null, turn: null };

export const isCall = (entry: Entry): entry is CallEntry => entry.kind === "call";
