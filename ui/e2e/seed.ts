import { type APIRequestContext, expect } from "@playwright/test";
import type { components } from "../src/api/schema";

type Task = components["schemas"]["Task"];
export type Spec = components["schemas"]["TaskSpecInput"];

/** A task that takes a few seconds on the simulated engine, and has a winner. */
export const QUICK: Spec = {
  task_name: "quick check",
  base_runtime: "simulated",
  model: { id_or_path: "demo" },
  parameters: { "max-num-seqs": [4, 16, 64], "sim-speed": [4] },
  optimization: { strategy: "grid_search", confirm: 1, timeout_per_iteration: 120 },
  slo: { ttft: { p90: { threshold: 2 } } },
  benchmark: {
    traffic_scenarios: ["D(128,16)"],
    num_concurrency: [4, 16],
    max_requests_per_iteration: 32,
    max_time_per_iteration: 1,
  },
};

/** One whose candidates fail in several ways. */
export const FAILING: Spec = {
  ...QUICK,
  task_name: "candidates that fail",
  parameters: { "max-num-seqs": [16, 128], "sim-oom-seqs": [64], "sim-speed": [4] },
};

/** One that runs until it is cancelled, as far as a test is concerned. */
export const LONG: Spec = {
  ...QUICK,
  task_name: "long run",
  parameters: { "max-num-seqs": [1, 2, 4, 8, 16, 32, 64, 128], "sim-speed": [0.2, 0.5, 1, 2, 4] },
  benchmark: { ...QUICK.benchmark, max_requests_per_iteration: 400, max_time_per_iteration: 20 },
};

export async function createTask(service: APIRequestContext, spec: Spec): Promise<Task> {
  const answer = await service.post("/api/tasks", { data: spec });
  expect(answer.status(), await answer.text()).toBe(201);
  return (await answer.json()) as Task;
}

export async function startTask(service: APIRequestContext, spec: Spec): Promise<Task> {
  const task = await createTask(service, spec);
  expect((await service.post(`/api/tasks/${task.id}/start`)).status()).toBe(202);
  return task;
}

const ENDED: readonly Task["state"][] = ["completed", "failed", "cancelled"];

/** Waits until a task is where it should be: `completed`, `running`, …; fails when it has ended elsewhere. */
export async function reached(
  service: APIRequestContext,
  id: string,
  state: Task["state"],
  timeout = 120_000,
): Promise<void> {
  let task: Task | undefined;
  const settled = async () => {
    task = (await (await service.get(`/api/tasks/${id}`)).json()) as Task;
    return task.state === state || ENDED.includes(task.state);
  };
  await expect.poll(settled, { timeout, intervals: [250] }).toBe(true);
  expect(task?.state, task?.error ?? "").toBe(state);
}

/** Says something in a new conversation, as the page does, and waits for the turn's end. The conversation's id. */
export async function say(service: APIRequestContext, text: string): Promise<string> {
  const made = await service.post("/api/agent/sessions", { data: {} });
  const { id } = (await made.json()) as components["schemas"]["Session"];
  const answer = await service.post("/api/agent/runs", {
    data: {
      threadId: id,
      runId: "",
      protocolVersion: "1.0",
      state: {},
      messages: [{ id: "1", role: "user", content: text }],
      tools: [],
      context: [],
      forwardedProps: {},
    },
  });
  expect(answer.status(), await answer.text()).toBe(200);
  return id;
}
