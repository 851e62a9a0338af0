import { type ChartOption, type Palette, type Rows, tooltipContent } from "@/charts";
import { axisName, better, quantity, scaled, shortName } from "../metrics";
import { reasonOf, type Row, rowName } from "../rows";
import type { Objective, Result } from "../types";
import { dots } from "./dots";
import { errorBars } from "./errorBars";
import { rounded } from "./frontier";
import { GRID, kindColour, LEGEND, notEmpty, hoverDot, xAxis, yAxis } from "./style";

export type History = {
  objective: Objective;
  points: { row: Row; value: number }[];
  /** 95 % intervals of fresh measurements: experiment, low, high. */
  intervals: [number, number, number][];
  /** Best so far: where it changes, and where the search ends. */
  steps: [number, number][];
  failed: Row[];
};

/** Experiments in order of measurement, and the best feasible value so far. */
export function searchHistory(result: Result, rows: readonly Row[], which: number): History | null {
  const objective = result.objectives[which];
  if (!objective) return null;
  const searched = rows.filter((row) => row.kind !== "confirmation" && row.kind !== "running");
  const points = searched.flatMap((row) => {
    const score = row.standing?.place == null ? undefined : row.standing.scores[which];
    return score ? [{ row, value: scaled(objective.metric, score.value) }] : [];
  });
  const steps: [number, number][] = [];
  for (const { row, value } of points) {
    const last = steps.at(-1);
    if (row.standing?.feasible && (!last || better(objective, value, last[1])))
      steps.push([row.number, value]);
  }
  const last = steps.at(-1);
  const end = searched.at(-1)?.number;
  if (last && end !== undefined && end > last[0]) steps.push([end, last[1]]);
  const intervals = searched.flatMap(({ number, standing }): [number, number, number][] => {
    const again = standing?.again[which];
    if (!again || again.low === null || again.high === null) return [];
    return [[number, scaled(objective.metric, again.low), scaled(objective.metric, again.high)]];
  });
  return { objective, points, intervals, steps, failed: searched.filter((row) => row.kind === "failed") };
}

type Datum = { value: [number, number | null]; number: number };

export function historyOption(data: History, palette: Palette): ChartOption {
  const { objective } = data;
  const rows = new Map(
    [...data.points.map(({ row }) => row), ...data.failed].map((row) => [row.number, row]),
  );
  const lowest = Math.min(...data.points.map(({ value }) => value));
  const highest = Math.max(...data.points.map(({ value }) => value));
  const floor = data.points.length === 0 ? 0 : below(lowest, highest);
  const points = data.points.map(({ row, value }) => ({ row, x: row.number, y: value }));
  return {
    aria: { enabled: false },
    grid: GRID,
    legend: LEGEND,
    xAxis: { ...xAxis("Experiment", false), minInterval: 1, scale: false, max: "dataMax" },
    yAxis: { ...yAxis(axisName(objective), false), min: floor },
    tooltip: {
      trigger: "item",
      formatter: ({ data: at }: { data: Datum }) => tooltip(at, rows.get(at.number), objective, palette),
    },
    series: [
      {
        id: "best-so-far",
        name: "Best so far",
        type: "line",
        step: "end",
        symbol: "none",
        silent: true,
        lineStyle: { color: palette.text, width: 1.25 },
        itemStyle: { color: palette.text },
        data: data.steps,
      },
      ...dots(points, palette, 6),
      errorBars("intervals", "Measured again, 95 %", data.intervals, palette.text),
      {
        id: "failed",
        name: "Failed",
        type: "scatter",
        symbol: CROSS,
        symbolSize: 8,
        itemStyle: { color: "transparent", borderColor: palette.bad, borderWidth: 1.5 },
        data: data.failed.map((row): Datum => ({ value: [row.number, floor], number: row.number })),
      },
      hoverDot(palette),
    ].filter(notEmpty),
  };
}

/** Lower end of the axis: zero, unless all values lie close together. */
function below(lowest: number, highest: number): number {
  if (lowest < highest / 2) return 0;
  const step = 10 ** Math.floor(Math.log10(Math.max(highest - lowest, highest / 50)));
  return Math.max(0, Math.floor((lowest - (highest - lowest) * 0.1) / step) * step);
}

const CROSS = "path://M0,0 L10,10 M10,0 L0,10";

export function historyOverlay(data: History, number: number | null): [number, number][] {
  const point = data.points.find(({ row }) => row.number === number);
  return point ? [[point.row.number, point.value]] : [];
}

function tooltip(
  at: Datum,
  row: Row | undefined,
  objective: Objective,
  palette: Palette,
): HTMLElement | string {
  if (!row) return "";
  if (row.kind === "failed" || at.value[1] === null)
    return tooltipContent(rowName(row), [["Failed", reasonOf(row) ?? ""]]);
  const value = quantity(objective.metric, at.value[1] / scaled(objective.metric, 1));
  return tooltipContent(rowName(row), [[shortName(objective), value, kindColour(row.kind, palette)]]);
}

export function historyTable(data: History): Rows {
  return {
    columns: ["Experiment", axisName(data.objective), "SLOs"],
    rows: [
      ...data.points.map(({ row, value }) => [
        rowName(row),
        rounded(value),
        row.standing?.feasible ? "met" : "missed",
      ]),
      ...data.failed.map((row) => [rowName(row), null, "failed"]),
    ],
  };
}
