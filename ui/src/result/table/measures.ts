import { axisName, type Choice, isLatency, measured, METRICS, quantity } from "../metrics";
import type { Row } from "../rows";
import type { LoadPoint, Result } from "../types";
import { type Field, field, numberCell, widthOf } from "./field";

/** The load level at which an experiment was judged, of its first kind of traffic. */
export function operating({ experiment, standing }: Row): LoadPoint | undefined {
  const at = standing?.scores[0]?.points[0];
  return (
    at &&
    experiment.points.find(
      (point) =>
        point.scenario === at.scenario && point.concurrency === at.concurrency && point.rate === at.rate,
    )
  );
}

/** Metrics at the operating point: those with SLOs first. */
export function measures(result: Result, differ: boolean): (Choice & { shown: boolean })[] {
  const bound = result.slos.map((slo) => ({ metric: slo.metric, statistic: slo.statistic }));
  const shown = new Set(bound.map(axisName));
  const objective = new Set(result.objectives.map(axisName));
  const all = [
    ...bound,
    ...METRICS.flatMap((metric): Choice[] =>
      isLatency(metric)
        ? [
            { metric, statistic: "mean" },
            { metric, statistic: "p90" },
            { metric, statistic: "p99" },
          ]
        : [{ metric, statistic: "mean" }],
    ),
  ].filter((choice) => differ || choice.metric !== "output_tokens_per_s_per_gpu");
  const unique = new Map(all.map((choice) => [axisName(choice), choice]));
  return [...unique]
    .filter(([name, choice]) => !objective.has(name) || isLatency(choice.metric))
    .map(([name, choice]) => ({
      ...choice,
      shown: shown.has(name) || (differ && choice.metric === "output_tokens_per_s"),
    }));
}

export function measure(choice: Choice & { shown: boolean }): Field {
  return field(
    `measure-${choice.metric}.${choice.statistic}`,
    axisName(choice),
    "At the operating point",
    widthOf(axisName(choice)),
    true,
    (row) => {
      const point = operating(row);
      return numberCell(point && measured(point, choice, row.experiment.gpus), (one) =>
        quantity(choice.metric, one),
      );
    },
    choice.shown,
  );
}
