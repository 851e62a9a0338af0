import { loadOf, loadText } from "@/format/load";
import { againstBaseline, sloVerdict } from "../headline/verdict";
import { axisName, quantity } from "../metrics";
import { valueText } from "../params";
import { gpusDiffer, type Row, searchedParams } from "../rows";
import type { Result } from "../types";
import { type Cell, type Field, field, EMPTY_CELL, numberCell, widthOf } from "./field";
import { measure, measures, operating } from "./measures";

/** All columns of a result, in order. */
export function fields(result: Result): Field[] {
  const differ = gpusDiffer(result);
  const judged = result.standings.some((one) => one.place !== null);
  const reason = field("reason", "Reason", "Outcome", 280, false, reasonCell);
  return [
    // Without a score the reason comes first.
    ...(judged ? [] : [reason]),
    field(
      "place",
      "Place",
      "Outcome",
      84,
      true,
      (row) => numberCell(row.standing?.place ?? undefined, String),
      judged,
    ),
    ...result.objectives.map((objective, index) =>
      field(
        `objective-${index}`,
        axisName(objective),
        "Outcome",
        widthOf(axisName(objective)),
        true,
        (row) => {
          const value = row.standing?.scores[index]?.value;
          return numberCell(value, (one) => quantity(objective.metric, one));
        },
        judged,
      ),
    ),
    field(
      "against",
      "vs baseline",
      "Outcome",
      112,
      true,
      (row) => (row.kind === "baseline" ? EMPTY_CELL : againstCell(result, row)),
      judged,
    ),
    field("slo", "SLOs", "Outcome", 92, false, sloCell, judged && result.slos.length > 0),
    field(
      "load",
      "Load",
      "At the operating point",
      80,
      true,
      (row) => {
        const at = operating(row);
        return numberCell(at && loadOf(at), () => (at ? loadText(at) : ""));
      },
      judged,
    ),
    field("gpus", "GPUs", "Experiment", 84, true, (row) => numberCell(row.experiment.gpus, String), differ),
    ...searchedParams(result).map((name) =>
      field(
        `param-${name}`,
        name,
        "Parameters",
        Math.min(240, widthOf(name)),
        isNumeric(result, name),
        (row) => ({
          text: valueText(row.params[name]),
          sort: row.params[name],
        }),
      ),
    ),
    ...measures(result, differ).map(measure),
    field(
      "start",
      "Start (s)",
      "Timing",
      84,
      true,
      (row) => numberCell(row.experiment.start_s ?? undefined, (one) => one.toFixed(1)),
      false,
    ),
    field(
      "wall",
      "Took (s)",
      "Timing",
      84,
      true,
      (row) => numberCell(row.experiment.wall_s ?? undefined, (one) => one.toFixed(0)),
      false,
    ),
    field(
      "attempt",
      "Attempt",
      "Timing",
      76,
      true,
      (row) => numberCell(row.experiment.attempt, String),
      false,
    ),
    ...(judged ? [reason] : []),
  ];
}

function reasonCell({ experiment: { failure }, standing }: Row): Cell {
  const text = failure?.message ?? standing?.reason ?? "";
  return { text, sort: text || undefined, intent: "bad" };
}

function againstCell({ objectives: [objective] }: Result, { standing }: Row): Cell {
  const change = objective && againstBaseline(objective, standing);
  return change ? { text: change.text, intent: change.intent, sort: change.ratio } : EMPTY_CELL;
}

function sloCell({ standing }: Row): Cell {
  if (!standing || standing.bounds.length === 0) return EMPTY_CELL;
  const worst = Math.max(...standing.bounds.map((bound) => bound.excess));
  const missed = standing.bounds.filter((bound) => sloVerdict(bound) === "missed");
  const close = standing.bounds.some((bound) => sloVerdict(bound) === "too_close");
  if (missed.length === 0 && close) return { text: "too close to say", sort: worst, intent: "warn" };
  if (missed.length === 0) return { text: "met", sort: worst };
  const hard = missed.some((bound) => bound.hard);
  return { text: `${missed.length} missed`, sort: worst, intent: hard ? "bad" : "warn" };
}

function isNumeric(result: Result, name: string): boolean {
  return result.standings.every(({ params }) => {
    const value = params.flags[name] ?? params.env[name] ?? params.parallel[name] ?? params.quant[name];
    return value === undefined || typeof value === "number";
  });
}
