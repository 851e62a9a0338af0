/** Results as the service would give them, for tests. */
import type { Experiment, Gain, LoadPoint, Result, Standing, Value } from "./types";

const AT = "2026-11-21T10:00:00Z";
export const CHAT = "D(512,128)";

export function stats(mean: number) {
  return { mean, p50: mean, p90: mean * 1.5, p95: mean * 1.6, p99: mean * 2, min: mean / 2, max: mean * 3 };
}

export function point(
  concurrency: number,
  rate: number,
  ttft: number,
  more: Partial<LoadPoint> = {},
): LoadPoint {
  return {
    scenario: CHAT,
    concurrency,
    rate: null,
    requests: 100,
    failed: 0,
    unanswered: 0,
    censored: 0,
    sent: 120,
    steady: true,
    duration_s: 10,
    ttft: stats(ttft),
    tpot: stats(0.01),
    itl: stats(0.01),
    chunk_gap: stats(0.01),
    cold: null,
    e2e_latency: stats(ttft + 1),
    input_tokens: 1000,
    output_tokens: 1000,
    hidden_tokens: 0,
    output_tokens_per_s: rate,
    total_tokens_per_s: rate * 5,
    requests_per_s: rate / 100,
    goodput_per_s: null,
    failure: null,
    error: null,
    missing: {},
    notes: [],
    generator: null,
    machine: null,
    raw: null,
    ...more,
  };
}

export function experiment(
  number: number,
  flags: Record<string, Value>,
  points: LoadPoint[],
  more: Partial<Experiment> = {},
): Experiment {
  return {
    number,
    role: number === 0 ? "baseline" : "candidate",
    params: { flags, env: {}, parallel: {}, quant: {} },
    state: "completed",
    attempt: 1,
    holder: null,
    confirms: null,
    gpus: 1,
    gpu_ids: ["GPU-0"],
    command: ["vllm", "serve", "--port", "30017"],
    launch: null,
    target: null,
    env: {},
    points,
    scores: [],
    failure: null,
    started_at: AT,
    finished_at: AT,
    start_s: 20,
    wall_s: 60,
    ...more,
  };
}

export function standing(
  one: Experiment,
  value: number | null,
  place: number | null,
  more: Partial<Standing> = {},
): Standing {
  const scores =
    value === null
      ? []
      : [
          {
            value,
            penalised: value,
            softened: value,
            violation: 0,
            excess: {},
            points: [{ scenario: CHAT, concurrency: 8, rate: null, value }],
          },
        ];
  return {
    number: one.number,
    role: one.role,
    params: one.params,
    place,
    confirms: one.confirms,
    feasible: value !== null,
    scores,
    relative_to_baseline: value === null ? [] : [value / 100],
    bounds: [],
    binding: null,
    reason: null,
    again: [],
    against_baseline: [],
    ...more,
  };
}

export const THROUGHPUT = {
  metric: "output_tokens_per_s",
  statistic: "mean",
  direction: "maximize",
} as const;
export const TTFT = { metric: "ttft", statistic: "p90", direction: "minimize" } as const;

export function gain(more: Partial<Gain> = {}): Gain {
  return {
    objective: THROUGHPUT,
    baseline: [100, 102],
    winner: [150, 153],
    fresh: true,
    gain: 0.5,
    low: 0.47,
    high: 0.53,
    confidence: 0.95,
    shown: true,
    ...more,
  };
}

export function verdict(more: Partial<Result["verdict"]> = {}): Result["verdict"] {
  return {
    outcome: "proven",
    headline: "50 % more output tokens/s (+47 % to +53 %)",
    text: "Proven: it is better.",
    gains: [gain()],
    luck: null,
    rounds: 2,
    noise: 0.01,
    bound: 0.53,
    visible_gain: 0.03,
    needed_for: null,
    launches_needed: null,
    slos: [],
    ...more,
  };
}

/** Baseline, a winner, one that misses a hard SLO, one that ran out of memory, and a confirmation of the winner. */
export function sample(more: Partial<Result> = {}): Result {
  const baseline = experiment(0, {}, [point(1, 50, 0.1), point(8, 100, 0.2)]);
  const winner = experiment(1, { seqs: 32, mode: "a" }, [point(1, 60, 0.1), point(8, 150, 0.15)]);
  const slow = experiment(2, { seqs: 128, mode: "a" }, [point(1, 55, 0.3), point(8, 180, 0.9)]);
  const dead = experiment(3, { seqs: 512, mode: "b" }, [], {
    state: "failed",
    failure: { kind: "out_of_memory", message: "Not enough memory.", lines: ["CUDA out of memory"] },
  });
  const again = experiment(4, { seqs: 32, mode: "a" }, [point(1, 58, 0.1), point(8, 154, 0.15)], {
    role: "confirmation",
    confirms: 1,
  });
  const bound = { name: "ttft.p90", threshold_s: 0.5, hard: true, verdict: null };
  return {
    format: 1,
    task_id: "a1b2c3d4",
    task_name: "sample",
    state: "completed",
    error: null,
    spec: { benchmark: { num_concurrency: [1, 8], request_rate: [] } } as unknown as Result["spec"],
    simulated: false,
    started_at: AT,
    finished_at: AT,
    objectives: [THROUGHPUT],
    slos: [{ metric: "ttft", statistic: "p90", threshold: 0.5, weight: 1, hard: true, fail_ratio: 0 }],
    verdict: verdict(),
    noise: 0.01,
    baseline: 0,
    winner: 1,
    nearest: null,
    front: [],
    standings: [
      standing(winner, 150, 1, {
        bounds: [{ ...bound, actual_s: 0.225, excess: -0.55, met: true }],
        binding: "ttft.p90",
      }),
      standing(baseline, 100, 2, {
        bounds: [{ ...bound, actual_s: 0.6, excess: 0.2, met: false }],
        binding: "ttft.p90",
      }),
      standing(slow, 180, 3, {
        feasible: false,
        bounds: [{ ...bound, actual_s: 1.35, excess: 1.7, met: false }],
        reason: "Misses ttft.p90 by 170 %.",
      }),
      standing(dead, null, null, { reason: "out_of_memory: Not enough memory." }),
      standing(again, 154, null),
    ],
    effects: [
      { name: "seqs", importance: 0.9, values: [{ value: 32, experiments: 1, failed: 0, relative: 1 }] },
    ],
    experiments: [baseline, winner, slow, dead, again],
    notes: [],
    drift: null,
    ...more,
  };
}
