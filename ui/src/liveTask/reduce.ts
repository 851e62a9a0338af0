/** State of a running task, reduced from its events. Pure. */

import type { Schema, StreamEvent } from "@/api";

export type TaskEvent = Schema<"Event">;
export type LoadPoint = Schema<"LoadPoint">;
export type Params = Readonly<Record<string, unknown>>;

/** An experiment, as known from events. */
export type LiveExperiment = {
  number: number;
  role: Schema<"Role">;
  params: Params;
  attempt: number;
  startedAt: string;
  /** From start to end. */
  seconds: number | null;
  state: Schema<"ExperimentState"> | "interrupted";
  /** By objective; empty without a score. */
  values: readonly number[];
  feasible: boolean;
  failure: string | null;
};

/** Phase and load points of the newest experiment. */
export type CurrentExperiment = {
  number: number;
  phase: string | null;
  scenario: string | null;
  concurrency: number | null;
  rate: number | null;
  since: string;
  points: readonly LoadPoint[];
  /** Why it is tried again. */
  retried: string | null;
};

export type LiveTask = {
  /** Null before the first event. */
  state: Schema<"TaskState"> | null;
  cancelling: boolean;
  /** In the order of their numbers. */
  experiments: readonly LiveExperiment[];
  now: CurrentExperiment | null;
};

export const EMPTY: LiveTask = { state: null, cancelling: false, experiments: [], now: null };

export const reduce = (live: LiveTask, { data }: StreamEvent<TaskEvent>): LiveTask => applyEvent(live, data);

export function applyEvent(live: LiveTask, { kind, payload, at }: TaskEvent): LiveTask {
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
        experiments: live.experiments.map(interrupted),
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
function newest(
  live: LiveTask,
  { number }: Payload,
  more: (now: CurrentExperiment) => Partial<CurrentExperiment>,
): LiveTask {
  const { now } = live;
  return now === null || now.number !== number ? live : { ...live, now: { ...now, ...more(now) } };
}

function started(live: LiveTask, payload: Payload, at: string): LiveTask {
  const number = Number(payload.number);
  const experiment: LiveExperiment = {
    number,
    role: payload.role as LiveExperiment["role"],
    params: (payload.params ?? {}) as Params,
    attempt: Number(payload.attempt ?? 1),
    startedAt: at,
    seconds: null,
    state: "running",
    values: [],
    feasible: false,
    failure: null,
  };
  const now: CurrentExperiment = {
    number,
    phase: null,
    scenario: null,
    concurrency: null,
    rate: null,
    since: at,
    points: [],
    retried: live.now?.number === number ? live.now.retried : null,
  };
  const experiments = [...live.experiments.filter((one) => one.number !== number), experiment];
  return { ...live, state: "running", experiments: experiments.sort((a, b) => a.number - b.number), now };
}

function finished(live: LiveTask, payload: Payload, at: string): LiveTask {
  const number = Number(payload.number);
  const experiments = live.experiments.map((experiment) =>
    experiment.number !== number
      ? experiment
      : {
          ...experiment,
          state: payload.state as LiveExperiment["state"],
          seconds: Math.max(0, (Date.parse(at) - Date.parse(experiment.startedAt)) / 1000),
          values: Array.isArray(payload.values)
            ? payload.values.filter((one) => typeof one === "number")
            : [],
          feasible: payload.feasible === true,
          failure: text(payload.message) ?? text(payload.failure),
        },
  );
  return newest({ ...live, experiments }, payload, () => ({
    phase: "done",
    scenario: null,
    concurrency: null,
    rate: null,
    since: at,
  }));
}

const interrupted = (experiment: LiveExperiment): LiveExperiment =>
  experiment.state === "running" ? { ...experiment, state: "interrupted" } : experiment;
const resting = (now: CurrentExperiment | null): CurrentExperiment | null =>
  now && { ...now, phase: "done", scenario: null, concurrency: null, rate: null };
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

function phaseOf({
  phase,
  scenario,
  concurrency,
  rate,
}: Payload): Pick<CurrentExperiment, "phase" | "scenario" | "concurrency" | "rate"> {
  return {
    phase: text(phase),
    scenario: text(scenario),
    concurrency: typeof concurrency === "number" ? concurrency : null,
    rate: typeof rate === "number" ? rate : null,
  };
}

function endOf(state: unknown): LiveTask["state"] {
  return state === "failed" || state === "cancelled" ? state : "completed";
}
