/** ECharts option of the best value so far. Pure. */

import { type ChartOption, type Palette, type Rows, tooltipContent } from "@/charts";
import { axisOf, type Objective, quantity, shortName } from "@/format/metrics";
import { judgedExperiments, type JudgedExperiment } from "@/liveTask/progress";
import type { LiveExperiment } from "@/liveTask/reduce";

export function bestOption(
  experiments: readonly LiveExperiment[],
  objective: Objective,
  at: number,
  palette: Palette,
): ChartOption {
  const all = judgedExperiments(experiments, objective, at);
  const { unit, scale } = axisOf(objective.metric);
  const x = ({ experiment }: JudgedExperiment) => experiment.number;
  const dot = (one: JudgedExperiment) => ({ value: [x(one), one.value * scale], one });
  const last = Math.max(...experiments.map((experiment) => experiment.number), 1);
  return {
    grid: { left: 8, right: 12, top: 28, bottom: 4, containLabel: true },
    xAxis: { type: "value", min: 0, max: last, minInterval: 1, splitLine: { show: false }, name: "" },
    yAxis: { type: "value", name: unit, scale: true, nameTextStyle: { align: "left" } },
    legend: { top: 0, right: 0, data: ["Best so far", "Within the limits", "Misses a hard limit"] },
    tooltip: {
      trigger: "item",
      formatter: (shown: { data: { one?: JudgedExperiment } }) =>
        shown.data.one ? told(shown.data.one, objective) : "",
    },
    series: [
      {
        name: "Best so far",
        type: "line",
        step: "end",
        showSymbol: false,
        silent: true,
        lineStyle: { width: 2, color: palette.accent },
        itemStyle: { color: palette.accent },
        data: [
          ...all.filter((one) => one.best !== null).map((one) => [x(one), (one.best ?? 0) * scale]),
          // The line goes on to the newest experiment, judged or not.
          ...all.slice(-1).flatMap(({ best }) => (best === null ? [] : [[last, best * scale]])),
        ],
      },
      {
        name: "Within the limits",
        type: "scatter",
        symbolSize: 8,
        itemStyle: { color: palette.series[2] },
        data: all.filter((one) => one.experiment.feasible).map(dot),
      },
      {
        name: "Misses a hard limit",
        type: "scatter",
        symbolSize: 8,
        symbol: "diamond",
        itemStyle: { color: palette.surface, borderColor: palette.series[1], borderWidth: 1.5 },
        data: all.filter((one) => !one.experiment.feasible).map(dot),
      },
    ],
  };
}

function told({ experiment, value }: JudgedExperiment, objective: Objective): HTMLElement {
  const params = Object.entries(experiment.params).map(([name, one]) => [name, String(one)] as const);
  return tooltipContent(`Experiment ${experiment.number} · ${experiment.role}`, [
    [shortName(objective), quantity(objective.metric, value)],
    ...params,
  ]);
}

export function bestTable(experiments: readonly LiveExperiment[], objective: Objective, at: number): Rows {
  return {
    columns: ["Experiment", "Role", shortName(objective), "Best so far"],
    rows: judgedExperiments(experiments, objective, at).map(({ experiment, value, best }) => [
      experiment.number,
      experiment.role,
      quantity(objective.metric, value),
      best === null ? null : quantity(objective.metric, best),
    ]),
  };
}
