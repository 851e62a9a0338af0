import { describe, expect, test } from "vitest";
import type { AguiEvent, Approval, CallEntry, EndEntry, Thread } from "./model";
import { EMPTY } from "./model";
import { reduce } from "./reduce";
import { isRunning, isThinking, callStatus, openApprovals } from "./selectors";

const NOW = Date.parse("2026-11-21T10:00:00Z");
const event = (type: string, more: object = {}) => ({ type, timestamp: NOW, ...more }) as AguiEvent;
const custom = (name: string, value: unknown) => event("CUSTOM", { name, value });
const began = (runId: string, trigger = "message") =>
  event("RUN_STARTED", { runId, threadId: "s", metadata: { trigger, model: "offline" } });
const finished = (runId: string, type = "success") =>
  event("RUN_FINISHED", { runId, threadId: "s", outcome: { type } });
const between = (id: string, ...events: AguiEvent[]) => [
  event("RUN_STARTED", { runId: id, threadId: "s" }),
  ...events,
  finished(id),
];
const said = (messageId: string, role: string, ...deltas: string[]) => [
  event("TEXT_MESSAGE_START", { messageId, role }),
  ...deltas.map((delta) => event("TEXT_MESSAGE_CONTENT", { messageId, delta })),
  event("TEXT_MESSAGE_END", { messageId }),
];
const called = (toolCallId: string, tool: string, ...args: string[]) => [
  event("TOOL_CALL_START", { toolCallId, toolCallName: tool }),
  ...args.map((delta) => event("TOOL_CALL_ARGS", { toolCallId, delta })),
  event("TOOL_CALL_END", { toolCallId }),
];
const result = (toolCallId: string, content: string, failed = false) =>
  event("TOOL_CALL_RESULT", {
    toolCallId,
    content,
    messageId: `${toolCallId}-result`,
    metadata: failed ? { failed } : null,
  });
const approval = (call_id: string, state = "open", more: Partial<Approval> = {}): Approval =>
  ({
    id: `a-${call_id}`,
    call_id,
    tool: "start_task",
    args: { task: "t1" },
    digest: "d1",
    state,
    expires_at: "2026-11-22T10:00:00Z",
    ...more,
  }) as Approval;

const reduceAll = (thread: Thread, events: AguiEvent[]): Thread => events.reduce(reduce, thread);
const after = (...events: AguiEvent[]): Thread => reduceAll(EMPTY, events);
const call = (thread: Thread, id: string) => thread.entries.find((entry) => entry.id === id) as CallEntry;
const end = (thread: Thread) => thread.entries.findLast((entry) => entry.kind === "end") as EndEntry;
const standing = (thread: Thread, id: string) => callStatus(call(thread, id), isRunning(thread), NOW);

const ASKED = [
  began("r1"),
  ...said("u1", "user", "start it"),
  ...called("c1", "start_task", '{"task"', ':"t1"}'),
  custom("approval_requested", approval("c1")),
  finished("r1", "interrupt"),
];

describe("texts", () => {
  test("a text grows by its pieces, and is done when it ends", () => {
    const thread = after(
      began("r1"),
      ...said("u1", "user", "Hi"),
      ...said("m1", "assistant", "He", "llo").slice(0, 3),
    );
    expect(thread.entries).toMatchObject([
      { kind: "user", text: "Hi" },
      { kind: "text", text: "Hello", streaming: true },
    ]);
    expect(reduceAll(thread, [event("TEXT_MESSAGE_END", { messageId: "m1" })]).entries[1]).toMatchObject({
      streaming: false,
    });
  });

  test("a turn ends with who answered and what was used, over all its calls of the model", () => {
    const used = custom("usage", { messageId: "m1", inputTokens: 10, outputTokens: 4 });
    const thread = after(began("r1"), ...said("u1", "user", "Hi"), used, used, finished("r1"));
    expect(end(thread)).toMatchObject({ outcome: "done", model: "offline", usage: { input: 20, output: 8 } });
    expect(isRunning(thread)).toBe(false);
  });

  test("while nothing shows that the assistant works, the thread says so", () => {
    const thread = after(began("r1"), ...said("u1", "user", "Hi"));
    expect(isThinking(thread)).toBe(true);
    expect(isThinking(reduceAll(thread, said("m1", "assistant", "Yes").slice(0, 2)))).toBe(false);
    expect(isThinking(reduceAll(thread, [finished("r1")]))).toBe(false);
  });

  test("a message that is said anew takes what came after it along", () => {
    const thread = after(
      ...[began("r1"), ...said("u1", "user", "one"), ...said("m1", "assistant", "1"), finished("r1")],
      ...[began("r2"), custom("history_cut", { messageId: "u1" }), ...said("u2", "user", "two")],
    );
    expect(thread.entries.map((entry) => entry.id)).toEqual(["u2"]);
  });

  test("what a reader hears twice stands there once", () => {
    const events = [
      began("r1"),
      ...said("u1", "user", "Hi"),
      ...called("c1", "list_tasks", "{}"),
      result("c1", "[]"),
    ];
    const once = after(...events);
    expect(reduceAll(once, events.slice(1)).entries).toEqual(once.entries);
  });

  test("the assistant that speaks because a task has ended says why", () => {
    const thread = after(began("r9", "task_ended"), ...said("m1", "assistant", "It ended."));
    expect(thread.entries.map((entry) => entry.kind)).toEqual(["notice", "text"]);
  });
});

describe("calls", () => {
  test("a call is written, runs with its progress, and is done", () => {
    const writing = after(began("r1"), ...called("c1", "hf_download", '{"repo":').slice(0, 2));
    expect(standing(writing, "c1")).toBe("writing");
    const runs = reduceAll(writing, [
      event("TOOL_CALL_END", { toolCallId: "c1" }),
      custom("tool_progress", { toolCallId: "c1", data: { done: 3, total: 9, unit: "bytes" } }),
    ]);
    expect(standing(runs, "c1")).toBe("running");
    expect(call(runs, "c1").progress).toEqual({ done: 3, total: 9, unit: "bytes", message: null });
    const done = reduceAll(runs, [result("c1", '{"files":2}')]);
    expect(standing(done, "c1")).toBe("done");
    expect(standing(reduceAll(runs, [result("c1", "No such repo.", true)]), "c1")).toBe("failed");
  });

  test("a call that its turn left behind will get no result", () => {
    const thread = after(began("r1"), ...called("c1", "sleep", "{}"), finished("r1", "cancelled"));
    expect(standing(thread, "c1")).toBe("cancelled");
    expect(end(thread).outcome).toBe("cancelled");
  });

  test("a run that fails says why, and under which id the log has the rest", () => {
    const thread = after(began("r1"), event("RUN_ERROR", { message: "The model is gone.", code: "e1" }));
    expect(end(thread)).toMatchObject({ outcome: "failed", message: "The model is gone.", errorId: "e1" });
    expect(isRunning(thread)).toBe(false);
  });

  test("the end of the service is no end of the turn", () => {
    const thread = after(began("r1"), ...said("u1", "user", "Hi"));
    expect(reduceAll(thread, [event("RUN_ERROR", { message: "It stops.", code: "farewell" })])).toBe(thread);
  });
});

describe("approvals", () => {
  test("a call that asks waits, and its turn is not over", () => {
    const thread = after(...ASKED);
    expect(openApprovals(thread, NOW).map((one) => one.id)).toEqual(["a-c1"]);
    expect(standing(thread, "c1")).toBe("asking");
    expect(end(thread)).toBeUndefined();
  });

  test("one of several is decided between two runs: it is approved, and the other still waits", () => {
    const two = after(
      ...ASKED.slice(0, -1),
      ...called("c2", "delete_task", "{}"),
      custom("approval_requested", approval("c2", "open", { tool: "delete_task" })),
      finished("r1", "interrupt"),
      ...between("b1", custom("approval_decided", approval("c1", "approved"))),
    );
    expect(standing(two, "c1")).toBe("approved");
    expect(openApprovals(two, NOW).map((one) => one.tool)).toEqual(["delete_task"]);
  });

  test("the turn goes on after the decision, and ends once", () => {
    const thread = after(
      ...ASKED,
      ...between("b1", custom("approval_decided", approval("c1", "approved"))),
      ...[began("r2", "decisions"), result("c1", '{"id":"t1"}'), finished("r2")],
    );
    expect(thread.entries.filter((entry) => entry.kind === "end")).toHaveLength(1);
    expect(standing(thread, "c1")).toBe("done");
  });

  test("another digest than the one shown is an edited call", () => {
    const decided = (digest: string) =>
      call(
        after(
          ...ASKED,
          custom("approval_decided", approval("c1", "approved", { digest, args: { task: "t2" } })),
        ),
        "c1",
      );
    expect(decided("d2")).toMatchObject({ edited: true, approval: { args: { task: "t2" } } });
    expect(decided("d1").edited).toBe(false);
  });

  test("a rejected call stays rejected, whatever the model was told", () => {
    const rejected = custom("approval_decided", approval("c1", "rejected", { reason: "Too early." }));
    const thread = after(
      ...ASKED,
      rejected,
      began("r2", "decisions"),
      result("c1", "Rejected: Too early.", true),
    );
    expect(standing(thread, "c1")).toBe("rejected");
  });

  test("a turn that is cancelled while it waits is over", () => {
    const thread = after(
      ...ASKED,
      ...between("b1", result("c1", "It was cancelled.", true)),
      ...between("b2", custom("approval_decided", approval("c1", "cancelled"))),
    );
    expect(end(thread)).toMatchObject({ outcome: "cancelled" });
    expect(thread.turn).toBeNull();
    expect(openApprovals(thread, NOW)).toEqual([]);
  });

  test("an approval whose time is over waits no more", () => {
    const thread = after(...ASKED);
    const later = Date.parse("2026-11-22T10:00:01Z");
    expect(openApprovals(thread, later)).toEqual([]);
    expect(callStatus(call(thread, "c1"), false, later)).toBe("expired");
  });

  test("an event that is not what it says changes nothing", () => {
    const thread = after(...ASKED);
    for (const value of [null, "x", {}, { call_id: 3 }]) {
      expect(reduceAll(thread, [custom("approval_requested", value), custom("unheard_of", value)])).toBe(
        thread,
      );
    }
  });
});
