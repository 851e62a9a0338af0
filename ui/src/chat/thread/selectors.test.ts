import { expect, test } from "vitest";
import type { CallEntry, EndEntry, Entry, TextEntry, UserEntry } from "./model";
import { answer, asked, latestStarts, nextExpiry, startedTask } from "./selectors";

const user = (id: string): UserEntry => ({ kind: "user", id, text: id, at: null });
const text = (id: string): TextEntry => ({ kind: "text", id, text: id, streaming: false });
const end = (id: string): EndEntry => ({
  kind: "end",
  id,
  outcome: "done",
  message: null,
  errorId: null,
  model: null,
  usage: { input: 0, output: 0 },
  at: null,
});
const call = (id: string, tool: string, result: string | null, failed = false): CallEntry => ({
  kind: "call",
  id,
  tool,
  args: "{}",
  written: true,
  approval: null,
  edited: false,
  progress: null,
  result,
  failed,
  over: true,
  startedAt: null,
  endedAt: null,
});

const TWO: Entry[] = [
  user("u1"),
  text("a"),
  end("e1"),
  user("u2"),
  text("b"),
  call("c", "plot", "{}"),
  text("d"),
  end("e2"),
];

test("what was asked and answered is that of the turn", () => {
  expect(asked(TWO, 7)?.id).toBe("u2");
  expect(answer(TWO, 7)).toBe("b\n\nd");
  expect(answer(TWO, 2)).toBe("a");
});

test("nobody asked where the assistant spoke by itself", () => {
  const entries: Entry[] = [
    user("u1"),
    end("e1"),
    { kind: "notice", id: "n", at: null },
    text("t"),
    end("e2"),
  ];
  expect(asked(entries, 4)).toBeNull();
});

test("a task is put to work by a start or resume that worked", () => {
  expect(startedTask(call("c", "start_task", '{"id":"t1","state":"queued"}'))).toBe("t1");
  expect(startedTask(call("c", "resume_task", '{"id":"t1"}'))).toBe("t1");
  expect(startedTask(call("c", "start_task", "No such task.", true))).toBeNull();
  expect(startedTask(call("c", "start_task", "no JSON"))).toBeNull();
  expect(startedTask(call("c", "cancel_task", '{"id":"t1"}'))).toBeNull();
});

test("the card that follows a task is that of its last start", () => {
  const entries = [
    call("c1", "start_task", '{"id":"t1"}'),
    call("c2", "start_task", '{"id":"t2"}'),
    call("c3", "resume_task", '{"id":"t1"}'),
  ];
  expect([...latestStarts(entries)]).toEqual(["c3", "c2"]);
});

test("nothing expires where nothing waits", () => expect(nextExpiry([])).toBeNull());
