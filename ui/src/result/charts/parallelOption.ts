import { type ChartOption, faded, type Palette, type Rows, tooltipContent } from "@/charts";
import { compact } from "@/format";
import { axisName, quantity, shortName } from "../metrics";
import { valueText } from "../params";
import { type Row, rowName } from "../rows";
import { rounded } from "./frontier";
import { HOVERED, kindColour, notEmpty } from "./style";
import type { Line, Parallel } from "./parallel";
import type { Axis } from "./slices";

type Datum = { value: (number | string)[]; number: number };
const ABSENT = "-";

function datum({ row, places, values }: Line): Datum {
  return { value: [...places.map((place) => place ?? ABSENT), ...values], number: row.number };
}

export function parallelOption(data: Parallel, palette: Palette): ChartOption {
  const rows = new Map(data.lines.map(({ row }) => [row.number, row]));
  const alpha = Math.max(0.08, Math.min(0.5, 20 / data.lines.length));
  const group = (name: string, kinds: Row["kind"][], colour: string, width: number) => ({
    id: name,
    name,
    type: "parallel",
    z: width * 2,
    lineStyle: { color: colour, width, opacity: 1 },
    inactiveOpacity: 0.06,
    activeOpacity: 1,
    emphasis: { lineStyle: { color: palette.text, width: 2.5 } },
    data: data.lines.filter(({ row }) => kinds.includes(row.kind)).map(datum),
  });
  return {
    aria: { enabled: false },
    parallel: {
      left: 48,
      right: 72,
      top: 44,
      bottom: 24,
      axisExpandable: false,
      parallelAxisDefault: {
        nameTextStyle: { color: palette.muted, fontSize: 11 },
        z: 30,
        // Lines cross the labels.
        axisLabel: { textBorderColor: palette.surface, textBorderWidth: 3 },
        areaSelectStyle: area(palette),
      },
    },
    parallelAxis: [
      ...data.axes.map((axis, dim) => ({
        id: axis.name,
        dim,
        name: short(axis.name, data.axes.length),
        nameLocation: "end",
        ...scaleOf(axis),
      })),
      ...data.objectives.map((objective, index) => ({
        id: axisName(objective),
        dim: data.axes.length + index,
        name: axisName(objective),
        type: "value",
        scale: true,
        axisLabel: { formatter: (value: number) => compact(value) },
      })),
    ],
    tooltip: {
      trigger: "item",
      formatter: ({ data: at }: { data: Datum }) => tooltip(rows.get(at.number), data, palette),
    },
    series: [
      group("Meets the SLOs", ["candidate"], faded(palette.series[0] ?? palette.faint, alpha), 1),
      group("Misses a hard SLO", ["infeasible"], faded(palette.bad, alpha), 1),
      group("Baseline", ["baseline"], kindColour("baseline", palette), 2.5),
      group("Best", ["best", "nearest"], kindColour("best", palette), 2.5),
      {
        id: HOVERED,
        type: "parallel",
        silent: true,
        z: 20,
        animation: false,
        lineStyle: { color: palette.text, width: 3, opacity: 1 },
        data: [],
      },
    ].filter(notEmpty),
  };
}

function scaleOf(axis: Axis) {
  if (axis.steps) return { type: "category", data: axis.steps.map(valueText) };
  return {
    type: axis.log ? "log" : "value",
    scale: true,
    axisLabel: { formatter: (value: number) => compact(value) },
  };
}

const area = (palette: Palette) => ({
  width: 16,
  borderWidth: 1,
  borderColor: palette.accent,
  color: faded(palette.accent, 0.35),
  opacity: 1,
});

/** Characters for the names of all axes together. */
const LETTERS = 120;
const short = (name: string, axes: number) => {
  const longest = Math.floor(LETTERS / axes);
  return name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
};

export function parallelOverlay(data: Parallel, number: number | null): Datum[] {
  return data.lines.filter(({ row }) => row.number === number).map(datum);
}

function tooltip(row: Row | undefined, data: Parallel, palette: Palette): HTMLElement | string {
  if (!row) return "";
  return tooltipContent(rowName(row), [
    ...data.axes.map((axis) => [axis.name, valueText(row.params[axis.name])] as const),
    ...data.objectives.map((objective, index) => {
      const score = row.standing?.scores[index];
      return [
        shortName(objective),
        score ? quantity(objective.metric, score.value) : "–",
        kindColour(row.kind, palette),
      ] as const;
    }),
  ]);
}

export function parallelTable(data: Parallel): Rows {
  return {
    columns: ["Experiment", ...data.axes.map((axis) => axis.name), ...data.objectives.map(axisName)],
    rows: data.lines.map(({ row, values }) => [
      rowName(row),
      ...data.axes.map((axis) => valueText(row.params[axis.name])),
      ...values.map(rounded),
    ]),
  };
}
