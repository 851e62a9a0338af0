/** From a task's events to what its card in the conversation shows. Pure. */

import type { Schema } from "@/api";

export type TaskEvent = Schema<"Event">;

export type Measured = { number: number; role: string; value: number; feasible: boolean };

export type TaskProgress = {
  state: Schema<"TaskState"> | null;
  failed: number;
  /** Experiments that have ended. */
  done: number;
  /** The experiment that runs. */
  number: number | null;
  /** What it does: `starting`, `warming up`, `measuring D(128,32) × 8`. */
  phase: string | null;
  /** By the first objective; those that could be judged. */
  measured: readonly Measured[];
};

export const NOT_BEGUN: TaskProgress = {
  state: null,
  done: 0,
  failed: 0,
  number: null,
  phase: null,
  measured: [],
};

export function follow(before: TaskProgress, { kind, payload }: TaskEvent): TaskProgress {
  switch (kind) {
    case "task_queued":
      return { ...before, state: "queued", number: null, phase: null };
    case "task_started":
      return { ...before, state: "running" };
    case "experiment_started":
      return { ...before, number: typeof payload.number === "number" ? payload.number : null, phase: null };
    case "phase":
      return payload.number === before.number ? { ...before, phase: phase(payload) } : before;
    case "experiment_finished": {
      const failed = before.failed + (payload.state === "failed" ? 1 : 0);
      const one = measured(payload);
      const all = one === null ? before.measured : [...before.measured, one];
      const after = { ...before, done: before.done + 1, failed, measured: all };
      return payload.number === before.number ? { ...after, number: null, phase: null } : after;
    }
    case "task_finished":
      return { ...before, state: ended(payload.state), number: null, phase: null };
    default:
      return before;
  }
}

function phase({ phase, scenario, concurrency }: TaskEvent["payload"]): string | null {
  if (typeof phase !== "string") return null;
  return typeof scenario === "string" ? `${phase} ${scenario} × ${String(concurrency)}` : phase;
}

function measured({ number, role, values, feasible }: TaskEvent["payload"]): Measured | null {
  const value: unknown = Array.isArray(values) ? values[0] : null;
  if (typeof number !== "number" || typeof role !== "string" || typeof value !== "number") return null;
  return { number, role, value, feasible: feasible === true };
}

function ended(state: unknown): TaskProgress["state"] {
  return state === "failed" || state === "cancelled" ? state : "completed";
}

/** The best that keeps to the SLOs; `gain` over the baseline as the service counts it: 0.2 is 20 % better. */
export function best(
  { measured }: TaskProgress,
  direction: "minimize" | "maximize",
): { number: number; value: number; gain: number | null } | null {
  const down = direction === "minimize";
  const found = measured
    .filter((one) => one.feasible && one.role !== "confirmation")
    .reduce<Measured | null>(
      (a, b) => (a === null || (down ? b.value < a.value : b.value > a.value) ? b : a),
      null,
    );
  if (found === null) return null;
  const baseline = measured.find((one) => one.role === "baseline")?.value ?? 0;
  const gain = baseline <= 0 ? null : down ? 1 - found.value / baseline : found.value / baseline - 1;
  return { number: found.number, value: found.value, gain };
}
