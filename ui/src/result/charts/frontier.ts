import { loadName } from "@/format/load";
import { type ChartOption, type Palette, type Rows, tooltipContent } from "@/charts";
import { axisName, type Choice, quantity, shortName } from "../metrics";
import { type Row, rowName } from "../rows";
import type { Metric, Result } from "../types";
import { type LevelPoint, levels, type Limit, limits, upperLeft } from "./levels";
import {
  limitLines,
  faintColour,
  GRID,
  hoverLine,
  kindColour,
  LEGEND,
  xAxis,
  yAxis,
  notEmpty,
} from "./style";

export type Frontier = {
  /** What rises from level to level. */
  load: string;
  latency: Choice;
  rate: Metric;
  log: boolean;
  lines: { row: Row; levels: LevelPoint[] }[];
  front: LevelPoint[];
  bounds: Limit[];
};

/** Throughput against latency, of every configuration at every level of a scenario. */
export function frontier(
  result: Result,
  rows: readonly Row[],
  choice: { scenario: string; latency: Choice; rate: Metric; log: boolean },
): Frontier {
  const { scenario, latency, rate, log } = choice;
  const lines = rows.map((row) => ({ row, levels: levels([row], scenario, latency, rate) }));
  const front = upperLeft(lines.flatMap((line) => line.levels));
  const load = loadName(result.spec.benchmark);
  return { load, latency, rate, log, lines, front, bounds: limits(result, latency) };
}

type Datum = { value: [number, number]; number: number; load: number };
const datum = (level: LevelPoint): Datum => ({
  value: [level.x, level.y],
  number: level.number,
  load: level.load,
});

export function frontierOption(data: Frontier, palette: Palette): ChartOption {
  const rows = new Map(data.lines.map(({ row }) => [row.number, row]));
  const special = data.lines.filter(({ row }) => ["best", "nearest", "baseline"].includes(row.kind));
  const others = data.lines.filter((line) => !special.includes(line));
  const cloud = (name: string, lines: typeof others, colour: string, hollow: boolean) => ({
    id: name,
    name,
    type: "scatter",
    symbolSize: 6,
    itemStyle: { color: hollow ? "transparent" : colour, borderColor: colour, borderWidth: hollow ? 1.2 : 0 },
    emphasis: { scale: 1.6 },
    data: lines.flatMap((line) => line.levels.map(datum)),
  });
  return {
    aria: { enabled: false },
    grid: GRID,
    legend: { ...LEGEND, data: undefined },
    xAxis: xAxis(axisName(data.latency), data.log),
    yAxis: yAxis(axisName({ metric: data.rate, statistic: "mean" }), false),
    tooltip: {
      trigger: "item",
      formatter: ({ data: at }: { data: Datum }) => tooltip(at, rows.get(at.number), data, palette),
    },
    series: [
      cloud(
        "Meets the SLOs",
        others.filter(({ row }) => row.kind === "candidate"),
        faintColour(palette, 0.75),
        false,
      ),
      cloud(
        "Misses a hard SLO",
        others.filter(({ row }) => row.kind === "infeasible"),
        palette.bad,
        true,
      ),
      {
        id: "front",
        name: "Pareto front",
        type: "line",
        data: data.front.map(datum),
        symbol: "none",
        silent: true,
        lineStyle: { color: palette.text, width: 1.25, type: [5, 4] },
        itemStyle: { color: palette.text },
        markLine: limitLines(palette, "xAxis", data.bounds),
      },
      ...special.map(({ row, levels: own }) => ({
        id: row.kind,
        name: { best: "Best", nearest: "Nearest", baseline: "Baseline" }[
          row.kind as "best" | "nearest" | "baseline"
        ],
        type: "line",
        symbol: "circle",
        symbolSize: 8,
        lineStyle: { width: 2, color: kindColour(row.kind, palette) },
        itemStyle: { color: kindColour(row.kind, palette) },
        z: row.kind === "baseline" ? 5 : 6,
        data: own.map(datum),
      })),
      hoverLine(palette),
    ].filter(notEmpty),
  };
}

/** The line of one configuration, for `hovered`. */
export function frontierOverlay(data: Frontier, number: number | null): [number, number][] {
  return data.lines.find(({ row }) => row.number === number)?.levels.map(({ x, y }) => [x, y]) ?? [];
}

function tooltip(at: Datum, row: Row | undefined, data: Frontier, palette: Palette): HTMLElement | string {
  if (!row) return "";
  const [x, y] = at.value;
  return tooltipContent(rowName(row), [
    [data.load, String(at.load)],
    [shortName(data.latency), quantity(data.latency.metric, x / 1000)],
    [
      shortName({ metric: data.rate, statistic: "mean" }),
      quantity(data.rate, y),
      kindColour(row.kind, palette),
    ],
  ]);
}

export function frontierTable(data: Frontier): Rows {
  return {
    columns: [
      "Experiment",
      data.load,
      axisName(data.latency),
      axisName({ metric: data.rate, statistic: "mean" }),
    ],
    rows: data.lines.flatMap(({ row, levels: own }) =>
      own.map((level) => [rowName(row), level.load, rounded(level.x), rounded(level.y)]),
    ),
  };
}

export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
