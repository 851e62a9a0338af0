import { flatParams, variedParams } from "./params";
import type { Experiment, Failure, Result, Standing, Value } from "./types";

/** Kind of an experiment; it determines the colour in charts and table. */
export type Kind =
  "best" | "nearest" | "baseline" | "candidate" | "infeasible" | "failed" | "confirmation" | "running";

/** An experiment with its standing. */
export type Row = {
  id: string;
  number: number;
  kind: Kind;
  experiment: Experiment;
  /** Null while it runs. */
  standing: Standing | null;
  params: Record<string, Value>;
};

export function rows(result: Result): Row[] {
  const standings = new Map(result.standings.map((one) => [one.number, one]));
  return result.experiments.map((experiment) => {
    const standing = standings.get(experiment.number) ?? null;
    return {
      id: String(experiment.number),
      number: experiment.number,
      kind: kindOf(result, experiment, standing),
      experiment,
      standing,
      params: flatParams(experiment.params),
    };
  });
}

function kindOf(result: Result, { number, role, state }: Experiment, standing: Standing | null): Kind {
  if (state === "running") return "running";
  if (role === "confirmation") return "confirmation";
  if (number === result.winner) return "best";
  if (number === result.baseline) return "baseline";
  if (standing === null || standing.place === null) return "failed";
  if (number === result.nearest) return "nearest";
  return standing.feasible ? "candidate" : "infeasible";
}

/** Experiments with a place: baseline and candidates. */
export function judgedRows(all: readonly Row[]): Row[] {
  return all.filter((row) => row.standing !== null && row.standing.place !== null);
}

/** The parameters that the search varied. */
export function searchedParams(result: Result): string[] {
  return variedParams(
    result.experiments.filter((one) => one.role !== "confirmation").map((one) => one.params),
  );
}

/** Experiments used different numbers of GPUs, so that rates are compared per GPU. */
export function gpusDiffer(result: Result): boolean {
  return new Set(result.experiments.map((one) => one.gpus)).size > 1;
}

/** Of what was measured, in the order of the task's own list. */
export function scenarios(result: Result): string[] {
  return [...new Set(result.experiments.flatMap((one) => one.points.map((point) => point.scenario)))];
}

/** `best (#8)`, `baseline`, `#12`. */
export function rowName(row: Pick<Row, "kind" | "number">): string {
  if (row.kind === "best") return row.number === 0 ? "#0, best" : `#${row.number}, best`;
  return row.kind === "baseline" ? `#${row.number}, baseline` : `#${row.number}`;
}

/** `out of memory` */
export function failureName({ kind }: Failure): string {
  return kind.replaceAll("_", " ");
}

/** Why an experiment failed, or cannot win. */
export function reasonOf({ experiment: { failure }, standing }: Row): string | null {
  if (!failure) return standing?.reason ?? null;
  const name = failureName(failure);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}: ${failure.message}`;
}

/** An experiment and its confirmations. */
export function repeatsOf(result: Result, number: number): Experiment[] {
  return result.experiments.filter(
    (one) => one.number === number || (one.confirms === number && one.state === "completed"),
  );
}
