import { describe, expect, test } from "vitest";
import type { Objective } from "@/format/metrics";
import { bestOf, completionOf, judgedExperiments } from "./progress";
import { type LiveTask, type LoadPoint, EMPTY, applyEvent, type TaskEvent } from "./reduce";
import { levelName } from "@/format/load";
import { levelColumns, levelsOf } from "./levels";

const START = Date.parse("2026-11-21T10:00:00Z");
const MAXIMIZE: Objective = { metric: "output_tokens_per_s", statistic: "mean", direction: "maximize" };
const MINIMIZE: Objective = { metric: "ttft", statistic: "p90", direction: "minimize" };

type Told = [kind: string, payload?: TaskEvent["payload"], second?: number];

function after(...told: Told[]): LiveTask {
  return told.reduce((live, [kind, payload = {}, second = 0], at) => {
    const event = {
      task_id: "0123abcd",
      sequence: at + 1,
      kind,
      payload,
      at: new Date(START + second * 1000).toISOString(),
    };
    return applyEvent(live, event);
  }, EMPTY);
}

const begin = (number: number, second = 0, more = {}): Told => [
  "experiment_started",
  { number, role: number === 0 ? "baseline" : "candidate", params: { a: number }, attempt: 1, ...more },
  second,
];
const end = (number: number, second: number, value: number | null, more = {}): Told => [
  "experiment_finished",
  {
    number,
    state: "completed",
    values: value === null ? [] : [value],
    feasible: true,
    failure: null,
    message: null,
    ...more,
  },
  second,
];
const stats = (value: number) => ({
  mean: value,
  p50: value,
  p90: value,
  p95: value,
  p99: value,
  min: value,
  max: value,
});
const point = (concurrency: number, more: Partial<LoadPoint> = {}) => ({
  number: 0,
  scenario: "D(100,100)",
  concurrency,
  output_tokens_per_s: 100,
  requests_per_s: 1,
  ttft: stats(0.2),
  ...more,
});

describe("a task's events", () => {
  test("tell its state", () => {
    expect(after(["task_created"]).state).toBe("created");
    expect(after(["task_created"], ["task_queued"]).state).toBe("queued");
    expect(after(["task_queued"], ["task_started"]).state).toBe("running");
    expect(after(["task_started"], ["cancel_requested"])).toMatchObject({
      state: "running",
      cancelling: true,
    });
    expect(after(["cancel_requested"], ["task_finished", { state: "cancelled" }])).toMatchObject({
      state: "cancelled",
      cancelling: false,
    });
  });

  test("tell what the newest experiment does and has measured", () => {
    const live = after(
      begin(0),
      ["phase", { number: 0, phase: "starting" }, 1],
      ["phase", { number: 0, phase: "measuring", scenario: "D(100,100)", concurrency: 1 }, 9],
      ["load_point", point(1), 12],
    );
    expect(live.now).toMatchObject({
      number: 0,
      phase: "measuring",
      concurrency: 1,
      since: new Date(START + 9000).toISOString(),
    });
    expect(live.now?.points.map((one) => one.concurrency)).toEqual([1]);
  });

  test("an experiment that is tried again begins anew and says why", () => {
    const live = after(
      begin(3),
      ["load_point", point(1)],
      ["experiment_retried", { number: 3, reason: "no GPU" }],
      begin(3, 5, { attempt: 2 }),
    );
    expect(live.experiments).toHaveLength(1);
    expect(live.experiments[0]).toMatchObject({ number: 3, attempt: 2, state: "running" });
    expect(live.now).toMatchObject({ points: [], retried: "no GPU" });
    expect(
      applyEvent(live, { ...event("experiment_started", { number: 4, role: "candidate" }) }).now?.retried,
    ).toBeNull();
  });

  test("one that runs when the task ends was interrupted, and runs again when it is resumed", () => {
    const stopped = after(begin(0), ["task_finished", { state: "cancelled" }]);
    expect(stopped.experiments[0]?.state).toBe("interrupted");
    const again = applyEvent(
      applyEvent(stopped, event("task_queued", {})),
      event("experiment_started", { number: 0, role: "baseline", attempt: 2 }),
    );
    expect(again.experiments.map((experiment) => [experiment.number, experiment.state])).toEqual([
      [0, "running"],
    ]);
  });

  test("a failed one has its reason and no value", () => {
    const live = after(
      begin(1),
      end(1, 4, null, { state: "failed", feasible: false, failure: "crashed", message: "It died." }),
    );
    expect(live.experiments[0]).toMatchObject({
      state: "failed",
      failure: "It died.",
      values: [],
      seconds: 4,
    });
  });

  test("of several at once those of the others do not change what the newest does", () => {
    const live = after(
      begin(0),
      begin(1),
      ["phase", { number: 1, phase: "starting" }],
      ["phase", { number: 0, phase: "measuring", scenario: "D(100,100)", concurrency: 1 }],
      ["load_point", point(1)],
      end(0, 9, 100),
    );
    expect(live.now).toMatchObject({ number: 1, phase: "starting", points: [] });
    expect(live.experiments.map((one) => [one.number, one.state])).toEqual([
      [0, "completed"],
      [1, "running"],
    ]);
    const again = applyEvent(live, event("experiment_started", { number: 0, role: "baseline", attempt: 2 }));
    expect(again.experiments.map((one) => one.number)).toEqual([0, 1]);
  });

  test("an event of a kind that is not known changes nothing", () => {
    const live = after(begin(0));
    expect(applyEvent(live, event("moon_rose", {}))).toBe(live);
  });
});

const event = (kind: string, payload: TaskEvent["payload"]): TaskEvent => ({
  task_id: "0123abcd",
  sequence: 99,
  kind,
  payload,
  at: new Date(START).toISOString(),
});

describe("how far it is", () => {
  const live = after(
    ["task_started"],
    begin(0),
    end(0, 10, 100),
    begin(1, 10),
    end(1, 30, null, { state: "failed", feasible: false }),
    begin(2, 30),
  );

  test("counts what has ended, and guesses what is left from what it took", () => {
    expect(completionOf(live, 5, START + 35_000)).toEqual({
      done: 2,
      failed: 1,
      total: 5,
      leftS: 3 * 15 - 5,
    });
  });

  test("an experiment that takes long does not make less of the others", () => {
    expect(completionOf(live, 5, START + 3_600_000).leftS).toBe(2 * 15);
  });

  test("nothing is guessed before there is anything to guess from", () => {
    expect(completionOf(after(["task_started"], begin(0)), 5, START).leftS).toBeNull();
    expect(completionOf(live, null, START)).toMatchObject({ total: null, leftS: null });
    expect(completionOf({ ...live, state: "completed" }, 5, START).leftS).toBeNull();
  });

  test("more than was planned is never less", () => expect(completionOf(live, 1, START).total).toBe(3));
});

describe("the best so far", () => {
  const live = after(
    begin(0),
    end(0, 1, 100),
    begin(1),
    end(1, 2, 180, { feasible: false }),
    begin(2),
    end(2, 3, 120),
    begin(3),
    end(3, 4, 110),
    begin(4, 0, { role: "confirmation" }),
    end(4, 5, 150),
  );

  test("is feasible and no confirmation, and only gets better", () => {
    expect(judgedExperiments(live.experiments, MAXIMIZE).map((one) => one.best)).toEqual([
      100, 100, 120, 120, 120,
    ]);
    expect(bestOf(live.experiments, MAXIMIZE)).toMatchObject({ experiment: { number: 2 }, value: 120 });
    expect(bestOf(live.experiments, MAXIMIZE)?.gain).toBeCloseTo(0.2);
  });

  test("of something to minimize is the least", () => {
    expect(judgedExperiments(live.experiments, MINIMIZE).map((one) => one.best)).toEqual([
      100, 100, 100, 100, 100,
    ]);
    expect(bestOf(live.experiments, MINIMIZE)).toMatchObject({ experiment: { number: 0 }, gain: 0 });
  });

  test("is none where nothing was measured", () => expect(bestOf([], MAXIMIZE)).toBeNull());
});

describe("load levels", () => {
  const benchmark = {
    traffic_scenarios: ["D(100,100)", "D(9,9)"],
    num_concurrency: [8, 1],
    request_rate: [] as number[],
  } as Parameters<typeof levelsOf>[0];

  test("stand in the order they are measured in, with what is known of each", () => {
    const { now } = after(
      begin(0),
      ["load_point", point(1)],
      ["phase", { number: 0, phase: "measuring", scenario: "D(100,100)", concurrency: 8 }],
    );
    expect(
      levelsOf(benchmark, now).map((one) => [
        one.scenario,
        one.concurrency,
        one.point !== null,
        one.measuring,
      ]),
    ).toEqual([
      ["D(100,100)", 1, true, false],
      ["D(100,100)", 8, false, true],
      ["D(9,9)", 1, false, false],
      ["D(9,9)", 8, false, false],
    ]);
  });

  test("are rates where the load is open", () => {
    const open = {
      ...benchmark,
      traffic_scenarios: ["D(100,100)"],
      num_concurrency: [],
      request_rate: [4, 0.5],
    };
    const { now } = after(
      begin(0),
      ["load_point", point(0, { rate: 0.5 })],
      ["phase", { number: 0, phase: "measuring", scenario: "D(100,100)", concurrency: 0, rate: 4 }],
    );
    expect(levelsOf(open, now).map((one) => [levelName(one), one.point !== null, one.measuring])).toEqual([
      ["D(100,100) @ 0.5/s", true, false],
      ["D(100,100) @ 4/s", false, true],
    ]);
  });

  test("show the statistic that a limit is about, and what is above it", () => {
    const figures = levelColumns({
      ttft: { threshold: 0.1 },
      tpot: null,
      latency: null,
      steepness: 0.1,
    } as Parameters<typeof levelColumns>[0]);
    const measured = point(1) as unknown as LoadPoint;
    expect(figures.map((one) => one.name)).toEqual(["Output", "TTFT", "TPOT p90", "Latency p90"]);
    expect(figures.map((one) => one.unit)).toEqual(["tok/s", "ms", "ms", "ms"]);
    expect(figures.map((one) => one.value(measured))).toEqual(["100", "200", "–", "–"]);
    expect(figures.map((one) => one.missed(measured))).toEqual([
      null,
      "above the limit of 100 ms",
      null,
      null,
    ]);
    const by = levelColumns({ ttft: { p50: { threshold: 1 }, p99: { threshold: 3 } } } as Parameters<
      typeof levelColumns
    >[0]);
    expect(by[1]?.name).toBe("TTFT p99");
    expect(by[1]?.missed(measured)).toBeNull();
  });
});
