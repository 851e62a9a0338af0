import { type ChartOption, type Palette, type Rows, tooltipContent } from "@/charts";
import { axisName, quantity, scaled, shortName } from "../metrics";
import { type Row, rowName } from "../rows";
import type { Objective, Result } from "../types";
import { type Dot, dots } from "./dots";
import { rounded } from "./frontier";
import { GRID, kindColour, LEGEND, xAxis, yAxis, notEmpty, hoverDot } from "./style";

type Point = { row: Row; x: number; y: number };
export type Tradeoff = { first: Objective; second: Objective; points: Point[]; front: Point[] };

/** Two objectives against each other; null where a task has one. */
export function tradeoff(result: Result, rows: readonly Row[]): Tradeoff | null {
  const [first, second] = result.objectives;
  if (!first || !second) return null;
  const points = rows.flatMap((row) => {
    const [x, y] = row.standing?.scores ?? [];
    return x && y ? [{ row, x: scaled(first.metric, x.value), y: scaled(second.metric, y.value) }] : [];
  });
  const front = points.filter(({ row }) => result.front.includes(row.number)).sort((a, b) => a.x - b.x);
  return { first, second, points, front };
}

export function tradeoffOption(data: Tradeoff, palette: Palette): ChartOption {
  const rows = new Map(data.points.map((point) => [point.row.number, point.row]));
  return {
    aria: { enabled: false },
    grid: GRID,
    legend: LEGEND,
    xAxis: xAxis(axisName(data.first), false),
    yAxis: yAxis(axisName(data.second), false),
    tooltip: {
      trigger: "item",
      formatter: ({ data: at }: { data: Dot }) => {
        const row = rows.get(at.number);
        if (!row) return "";
        return tooltipContent(rowName(row), [
          [
            shortName(data.first),
            quantity(data.first.metric, at.value[0] / scaled(data.first.metric, 1)),
            kindColour(row.kind, palette),
          ],
          [shortName(data.second), quantity(data.second.metric, at.value[1] / scaled(data.second.metric, 1))],
        ]);
      },
    },
    series: [
      {
        id: "front",
        name: "Pareto front",
        type: "line",
        symbol: "none",
        silent: true,
        lineStyle: { color: palette.text, width: 1.25, type: [5, 4] },
        itemStyle: { color: palette.text },
        data: data.front.map(({ x, y }) => [x, y]),
      },
      ...dots(data.points, palette),
      hoverDot(palette),
    ].filter(notEmpty),
  };
}

export function tradeoffOverlay(data: Tradeoff, number: number | null): [number, number][] {
  return data.points.filter(({ row }) => row.number === number).map(({ x, y }) => [x, y]);
}

export function tradeoffTable(data: Tradeoff): Rows {
  const front = new Set(data.front.map(({ row }) => row.number));
  return {
    columns: ["Experiment", axisName(data.first), axisName(data.second), "On the front"],
    rows: data.points.map(({ row, x, y }) => [
      rowName(row),
      rounded(x),
      rounded(y),
      front.has(row.number) ? "yes" : "no",
    ]),
  };
}
