import { afterEach, expect, test, vi } from "vitest";
import { api, call, send } from "./client";
import { connection } from "./connection";
import { ApiError } from "./problem";

afterEach(() => {
  vi.unstubAllGlobals();
  connection.set("online");
});

const answers = (body: string, init: ResponseInit) =>
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, init)));
const refusal = (asked: Promise<unknown>) =>
  asked.then(
    () => null,
    (error: unknown) => error as ApiError,
  );

test("an answer is its data", async () => {
  answers('{"items": [], "total": 0}', { headers: { "Content-Type": "application/json" } });
  expect(await call(api.GET("/api/tasks", { baseUrl: "http://service" }))).toEqual({ items: [], total: 0 });
});

test("a refusal is thrown with the problem of each place", async () => {
  const problem = {
    type: "about:blank",
    title: "Unprocessable Content",
    status: 422,
    detail: "Two problems.",
    errors: [{ where: "slo.ttft", message: "must be positive", line: 3 }],
  };
  answers(JSON.stringify(problem), { status: 422 });
  const error = await refusal(call(api.GET("/api/tasks", { baseUrl: "http://service" })));
  expect(error).toBeInstanceOf(ApiError);
  expect(error?.status).toBe(422);
  expect(error?.at("slo.ttft")).toBe("must be positive");
  expect(error?.at("budget")).toBeUndefined();
});

test("an answer of something between us and the service is understood, too", async () => {
  answers("<h1>Bad gateway</h1>", { status: 502, statusText: "Bad Gateway" });
  const error = await refusal(send("/api/tasks"));
  expect(error?.problem).toMatchObject({ title: "Bad Gateway", status: 502 });
});

test("a service that does not answer is said to be lost", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
  const error = await refusal(send("/api/tasks"));
  expect(error?.status).toBe(0);
  expect(connection.get()).toBe("lost");
  answers("{}", { status: 200 });
  await vi.advanceTimersByTimeAsync(1000);
  expect(connection.get()).toBe("online");
  vi.useRealTimers();
});
