/** A task while it runs, from its events. Pure. */

import type { Schema, StreamEvent } from "@/api";

export type TaskEvent = Schema<"Event">;
export type LoadPoint = Schema<"LoadPoint">;
export type Params = Readonly<Record<string, unknown>>;

/** An experiment, as far as events tell of it. */
export type Run = {
  number: number;
  role: Schema<"Role">;
  params: Params;
  attempt: number;
  startedAt: string;
  /** From start to end. */
  seconds: number | null;
  state: Schema<"ExperimentState"> | "interrupted";
  /** By objective; empty where it cannot be judged. */
  values: readonly number[];
  feasible: boolean;
  failure: string | null;
};

/** What the newest experiment does, and what it has measured. */
export type Now = {
  number: number;
  phase: string | null;
  scenario: string | null;
  concurrency: number | null;
  since: string;
  points: readonly LoadPoint[];
  /** Why it is tried again. */
  retried: string | null;
};

export type Live = {
  /** Null: no event has told. */
  state: Schema<"TaskState"> | null;
  cancelling: boolean;
  /** In the order of their numbers. */
  runs: readonly Run[];
  now: Now | null;
};

export const NOTHING: Live = { state: null, cancelling: false, runs: [], now: null };

export const step = (live: Live, { data }: StreamEvent<TaskEvent>): Live => take(live, data);

export function take(live: Live, { kind, payload, at }: TaskEvent): Live {
  switch (kind) {
    case "task_created":
      return { ...live, state: "created" };
    case "task_queued":
      return { ...live, state: "queued", cancelling: false };
    case "task_started":
      return { ...live, state: "running", cancelling: false };
    case "cancel_requested":
      return { ...live, cancelling: true };
    case "task_finished":
      return {
        ...live,
        state: endOf(payload.state),
        cancelling: false,
        runs: live.runs.map(interrupted),
        now: resting(live.now),
      };
    case "experiment_started":
      return started(live, payload, at);
    case "experiment_retried":
      return newest(live, payload, () => ({ phase: null, retried: text(payload.reason) }));
    case "phase":
      return newest(live, payload, () => ({ ...phaseOf(payload), since: at }));
    case "load_point":
      return newest(live, payload, ({ points }) => ({ points: [...points, payload as LoadPoint] }));
    case "experiment_finished":
      return finished(live, payload, at);
    default:
      return live;
  }
}

type Payload = TaskEvent["payload"];

/** What an event says of the newest experiment; of others that are under way nothing more is shown than that. */
function newest(live: Live, { number }: Payload, more: (now: Now) => Partial<Now>): Live {
  const { now } = live;
  return now === null || now.number !== number ? live : { ...live, now: { ...now, ...more(now) } };
}

function started(live: Live, payload: Payload, at: string): Live {
  const number = Number(payload.number);
  const run: Run = {
    number,
    role: payload.role as Run["role"],
    params: (payload.params ?? {}) as Params,
    attempt: Number(payload.attempt ?? 1),
    startedAt: at,
    seconds: null,
    state: "running",
    values: [],
    feasible: false,
    failure: null,
  };
  const now: Now = {
    number,
    phase: null,
    scenario: null,
    concurrency: null,
    since: at,
    points: [],
    retried: live.now?.number === number ? live.now.retried : null,
  };
  const runs = [...live.runs.filter((one) => one.number !== number), run];
  return { ...live, state: "running", runs: runs.sort((a, b) => a.number - b.number), now };
}

function finished(live: Live, payload: Payload, at: string): Live {
  const number = Number(payload.number);
  const runs = live.runs.map((run) =>
    run.number !== number
      ? run
      : {
          ...run,
          state: payload.state as Run["state"],
          seconds: Math.max(0, (Date.parse(at) - Date.parse(run.startedAt)) / 1000),
          values: Array.isArray(payload.values)
            ? payload.values.filter((one) => typeof one === "number")
            : [],
          feasible: payload.feasible === true,
          failure: text(payload.message) ?? text(payload.failure),
        },
  );
  return newest({ ...live, runs }, payload, () => ({
    phase: "done",
    scenario: null,
    concurrency: null,
    since: at,
  }));
}

const interrupted = (run: Run): Run => (run.state === "running" ? { ...run, state: "interrupted" } : run);
const resting = (now: Now | null): Now | null =>
  now && { ...now, phase: "done", scenario: null, concurrency: null };
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

function phaseOf({ phase, scenario, concurrency }: Payload): Pick<Now, "phase" | "scenario" | "concurrency"> {
  return {
    phase: text(phase),
    scenario: text(scenario),
    concurrency: typeof concurrency === "number" ? concurrency : null,
  };
}

function endOf(state: unknown): Live["state"] {
  return state === "failed" || state === "cancelled" ? state : "completed";
}
