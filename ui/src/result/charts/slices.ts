import { type ChartOption, type Palette, type Rows, tooltipContent } from "@/charts";
import { axisName, quantity, scaled, shortName } from "../metrics";
import { compareValues, valueText } from "../params";
import { type Row, rowName } from "../rows";
import type { Objective, Result, Value } from "../types";
import { type Dot, dots } from "./dots";
import { rounded } from "./frontier";
import { spansDecades } from "./levels";
import { GRID, kindColour, LEGEND, xAxis, yAxis, notEmpty, hoverDot } from "./style";

/** Up to so many distinct values get a category axis; more numbers a value axis. */
const MOST_STEPS = 10;

/** Axis of a parameter: categories, or a numeric scale. */
export type Axis = { name: string; steps: (Value | undefined)[] | null; log: boolean };

export function paramAxis(name: string, values: readonly (Value | undefined)[]): Axis {
  const different = [...new Set(values)].sort(compareValues);
  const numbers = different.filter((value): value is number => typeof value === "number");
  if (
    different.length <= MOST_STEPS ||
    numbers.length < different.filter((value) => value !== undefined).length
  ) {
    return { name, steps: different, log: false };
  }
  return { name, steps: null, log: spansDecades(numbers, 20) };
}

/** Null: unset, so without a place on a numeric scale. */
export function placeOn(axis: Axis, value: Value | undefined): number | null {
  if (axis.steps) return axis.steps.indexOf(value);
  return typeof value === "number" ? value : null;
}

export type Slice = {
  axis: Axis;
  objective: Objective;
  points: { row: Row; x: number; y: number }[];
  /** Per value the median of its experiments. */
  medians: [number, number][];
};

/** The objective's value over one parameter's: a point for each experiment. */
export function slice(result: Result, rows: readonly Row[], name: string, which: number): Slice | null {
  const objective = result.objectives[which];
  if (!objective) return null;
  const axis = paramAxis(
    name,
    rows.map((row) => row.params[name]),
  );
  const points = rows.flatMap((row) => {
    const x = placeOn(axis, row.params[name]);
    const score = row.standing?.scores[which];
    return x === null || !score ? [] : [{ row, x, y: scaled(objective.metric, score.value) }];
  });
  const medians = axis.steps
    ? axis.steps.flatMap((_, step): [number, number][] => {
        const values = points.filter((point) => point.x === step).map((point) => point.y);
        return values.length > 0 ? [[step, median(values)]] : [];
      })
    : [];
  return { axis, objective, points, medians };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [below = 0, above = 0] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 ? above : (below + above) / 2;
}

export function sliceOption(data: Slice, palette: Palette): ChartOption {
  const rows = new Map(data.points.map(({ row }) => [row.number, row]));
  const { axis, objective } = data;
  return {
    aria: { enabled: false },
    grid: GRID,
    legend: LEGEND,
    xAxis: axis.steps
      ? {
          type: "category",
          data: axis.steps.map(valueText),
          name: axis.name,
          nameLocation: "middle",
          nameGap: 28,
        }
      : xAxis(axis.name, axis.log),
    yAxis: yAxis(axisName(objective), false),
    tooltip: {
      trigger: "item",
      formatter: ({ data: at }: { data: Dot }) => {
        const row = rows.get(at.number);
        if (!row) return "";
        return tooltipContent(rowName(row), [
          [axis.name, valueText(row.params[axis.name])],
          [
            shortName(objective),
            quantity(objective.metric, at.value[1] / scaled(objective.metric, 1)),
            kindColour(row.kind, palette),
          ],
        ]);
      },
    },
    series: [
      {
        id: "median",
        name: "Median",
        type: "line",
        silent: true,
        symbol: "rect",
        symbolSize: [18, 2],
        lineStyle: { color: palette.muted, width: 1, type: [4, 4] },
        itemStyle: { color: palette.muted },
        data: data.medians,
      },
      ...dots(data.points, palette),
      hoverDot(palette),
    ].filter(notEmpty),
  };
}

export function sliceOverlay(data: Slice, number: number | null): [number, number][] {
  return data.points.filter(({ row }) => row.number === number).map(({ x, y }) => [x, y]);
}

export function sliceTable(data: Slice): Rows {
  return {
    columns: ["Experiment", data.axis.name, axisName(data.objective)],
    rows: data.points.map(({ row, y }) => [rowName(row), valueText(row.params[data.axis.name]), rounded(y)]),
  };
}
