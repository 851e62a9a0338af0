/** Reduces a session's events to its thread. Pure, and idempotent for replayed events. */

import { customEvent, type CustomEvent } from "./customEvents";
import { call, changeCall, changeEntry, addEntry, user, written } from "./entries";
import { type AguiEvent, type EndEntry, isCall, type Thread } from "./model";

const NO_USAGE = { input: 0, output: 0 };
/** The service restarts; the stream reconnects. */
const FAREWELL = "farewell";

export function reduce(thread: Thread, event: AguiEvent): Thread {
  const at = event.timestamp ?? null;
  switch (event.type) {
    case "RUN_STARTED":
      return started(thread, event.runId, event.metadata ?? null, at);
    case "TEXT_MESSAGE_START":
      return addEntry(thread, event.role === "user" ? user(event.messageId, at) : written(event.messageId));
    case "TEXT_MESSAGE_CONTENT":
      return changeEntry(thread, event.messageId, (entry) =>
        entry.kind === "text" || entry.kind === "user" ? { ...entry, text: entry.text + event.delta } : entry,
      );
    case "TEXT_MESSAGE_END":
      return changeEntry(thread, event.messageId, (entry) =>
        entry.kind === "text" ? { ...entry, streaming: false } : entry,
      );
    case "TOOL_CALL_START":
      return addEntry(thread, call(event.toolCallId, event.toolCallName, at));
    case "TOOL_CALL_ARGS":
      return changeCall(thread, event.toolCallId, (entry) => ({ ...entry, args: entry.args + event.delta }));
    case "TOOL_CALL_END":
      return changeCall(thread, event.toolCallId, (entry) => ({ ...entry, written: true }));
    case "TOOL_CALL_RESULT": {
      const result = typeof event.content === "string" ? event.content : JSON.stringify(event.content);
      const failed = event.metadata?.failed === true;
      return changeCall(thread, event.toolCallId, (entry) => ({
        ...entry,
        result,
        failed,
        progress: null,
        endedAt: at,
      }));
    }
    case "CUSTOM": {
      const known = customEvent(event.name, event.value);
      return known === null ? thread : told(thread, known, at);
    }
    case "RUN_FINISHED":
      return finished(thread, event.outcome?.type ?? "success", at);
    case "RUN_ERROR":
      return event.code === FAREWELL
        ? thread
        : ended(
            { ...thread, frame: null },
            { outcome: "failed", message: event.message, errorId: event.code ?? null, at },
          );
  }
}

function started(
  thread: Thread,
  id: string,
  metadata: Record<string, unknown> | null,
  at: number | null,
): Thread {
  // What happens between two runs is framed by events without metadata.
  if (metadata === null) return { ...thread, frame: { id, kind: "between" } };
  const frame = { id, kind: "run" as const };
  const model = typeof metadata.model === "string" ? metadata.model : null;
  if (metadata.trigger === "decisions" && thread.turn !== null) {
    return { ...thread, frame, turn: { ...thread.turn, model } };
  }
  const entries = thread.entries.map((entry) =>
    isCall(entry) && !entry.over ? { ...entry, over: true } : entry,
  );
  const begun = { entries, frame, turn: { model, usage: NO_USAGE } };
  return metadata.trigger === "task_ended"
    ? addEntry(begun, { kind: "notice", id: `notice-${id}`, at })
    : begun;
}

function told(thread: Thread, event: CustomEvent, at: number | null): Thread {
  switch (event.name) {
    case "history_cut": {
      const place = thread.entries.findIndex((entry) => entry.id === event.messageId);
      return place < 0 ? thread : { ...thread, entries: thread.entries.slice(0, place) };
    }
    case "tool_progress":
      return changeCall(thread, event.toolCallId, (entry) => ({ ...entry, progress: event.progress }));
    case "usage": {
      if (thread.turn === null) return thread;
      const { input, output } = thread.turn.usage;
      const usage = { input: input + event.usage.input, output: output + event.usage.output };
      return { ...thread, turn: { ...thread.turn, usage } };
    }
    case "approval": {
      const { approval } = event;
      const decided = changeCall(thread, approval.call_id, (entry) => ({
        ...entry,
        approval,
        // Its duration counts from the approval.
        startedAt: approval.state === "approved" ? at : entry.startedAt,
        edited: entry.approval !== null ? entry.edited || entry.approval.digest !== approval.digest : false,
      }));
      // Cancelled while it waited: no run follows that would say so.
      const last = approval.state === "cancelled" && thread.frame?.kind !== "run" && !waits(decided);
      return last && thread.turn !== null
        ? ended(decided, { outcome: "cancelled", message: null, errorId: null, at })
        : decided;
    }
  }
}

function finished(thread: Thread, outcome: "success" | "interrupt" | "cancelled", at: number | null): Thread {
  const done = { ...thread, frame: null };
  if (thread.frame?.kind !== "run" || outcome === "interrupt") return done;
  return ended(done, {
    outcome: outcome === "cancelled" ? outcome : "done",
    message: null,
    errorId: null,
    at,
  });
}

function ended(thread: Thread, end: Pick<EndEntry, "outcome" | "message" | "errorId" | "at">): Thread {
  const { model, usage } = thread.turn ?? { model: null, usage: NO_USAGE };
  const entries = thread.entries.map((entry) => {
    if (isCall(entry) && !entry.over) return { ...entry, over: true };
    return entry.kind === "text" && entry.streaming ? { ...entry, streaming: false } : entry;
  });
  const id = `end-${entries.filter((entry) => entry.kind === "end").length}`;
  return { ...thread, turn: null, entries: [...entries, { kind: "end", id, model, usage, ...end }] };
}

const waits = (thread: Thread) =>
  thread.entries.some((entry) => isCall(entry) && entry.approval?.state === "open");
