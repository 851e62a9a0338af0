import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { connection } from "./connection";
import { follow, type StreamEvent, type StreamState } from "./follow";
import type { ApiError } from "./problem";

type Answer = Response | Error;

let asked: { url: string; last: string | null }[];

/** A service that gives these answers in turn. */
function serves(...answers: Answer[]): void {
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    asked.push({ url, last: new Headers(init.headers).get("Last-Event-ID") });
    const next = answers.shift();
    if (!next) throw new Error("asked more often than there are answers");
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  });
}

const stream = (text: string) => new Response(text, { headers: { "Content-Type": "text/event-stream" } });
const over = () => new Response(null, { status: 204 });

async function read(lastEventId: string | null = null) {
  const events: StreamEvent[] = [];
  const states: StreamState[] = [];
  const errors: (ApiError | undefined)[] = [];
  await follow("/api/x/events", {
    lastEventId,
    signal: new AbortController().signal,
    onEvents: (some) => events.push(...some),
    onState: (state, error) => {
      states.push(state);
      errors.push(error);
    },
    backoff: () => 0,
  });
  return { data: events.map((event) => event.data), states, errors };
}

beforeEach(() => {
  asked = [];
  connection.set("online");
});
afterEach(() => vi.unstubAllGlobals());

test("goes on after the last event until nothing follows", async () => {
  serves(stream("id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n"), stream("id: 3\ndata: 3\n\ndata: 4"), over());
  const { data, states } = await read();
  expect(data).toEqual([1, 2, 3]);
  expect(states).toEqual(["live", "live", "ended"]);
  expect(asked.map((one) => one.last)).toEqual([null, "2", "3"]);
});

test("begins where it is told to", async () => {
  serves(over());
  await read("run:7");
  expect(asked[0]?.last).toBe("run:7");
});

test("a connection that is lost, and a service that is busy, are tried again", async () => {
  serves(
    stream("id: 5\ndata: 5\n\n"),
    new TypeError("network"),
    new Response("{}", { status: 503 }),
    stream("id: 6\ndata: 6\n\n"),
    over(),
  );
  const { data, states } = await read();
  expect(data).toEqual([5, 6]);
  expect(states).toEqual(["live", "lost", "lost", "live", "ended"]);
  expect(asked.at(-1)?.last).toBe("6");
});

test("what is refused is not tried again, and keeps its reason", async () => {
  const problem = {
    type: "about:blank",
    title: "Not Found",
    status: 404,
    detail: "No task 'x'.",
    errors: [],
  };
  serves(new Response(JSON.stringify(problem), { status: 404 }));
  const { states, errors } = await read();
  expect(states).toEqual(["failed"]);
  expect(errors[0]?.problem).toEqual(problem);
});

test("a login that has ended locks the page", async () => {
  serves(new Response("{}", { status: 401 }));
  await read();
  expect(connection.get()).toBe("locked");
});

test("a stream's own failure ends it, with the id under which the log has more", async () => {
  serves(
    stream(
      'id: 1\ndata: 1\n\nevent: error\ndata: {"message": "The service failed at this.", "error_id": "ab12"}\n\n',
    ),
  );
  const { data, states, errors } = await read();
  expect(data).toEqual([1]);
  expect(states).toEqual(["live", "failed"]);
  expect(errors[1]?.problem.error_id).toBe("ab12");
});

test("a farewell is not shown: the service comes back", async () => {
  serves(
    stream('id: 1\ndata: 1\n\nevent: farewell\ndata: {"reason": "stops"}\n\n'),
    stream('data: {"type": "RUN_ERROR", "message": "The service stops.", "code": "farewell"}\n\n'),
    stream('id: 2\ndata: {"said": "farewell"}\n\n'),
    over(),
  );
  const { data } = await read();
  expect(data).toEqual([1, { said: "farewell" }]);
});
