import { faded, type Palette } from "@/charts";
import { compact } from "@/format";
import type { Kind } from "../rows";
import type { Limit } from "./levels";

/** Colour of a kind of experiment. */
export function kindColour(kind: Kind, palette: Palette): string {
  switch (kind) {
    case "best":
    case "nearest":
      return palette.accent;
    case "baseline":
      return palette.series[1] ?? palette.warn;
    case "infeasible":
    case "failed":
      return palette.bad;
    default:
      return palette.faint;
  }
}

/** Series of the hovered configuration, as a line; its data is set by `overlay`. */
export function hoverLine(palette: Palette) {
  return {
    id: HOVERED,
    type: "line" as const,
    data: [],
    silent: true,
    z: 20,
    animation: false,
    symbol: "circle",
    symbolSize: 9,
    lineStyle: { color: palette.text, width: 2 },
    itemStyle: { color: palette.surface, borderColor: palette.text, borderWidth: 2 },
  };
}

export const HOVERED = "hovered";

/** Margins of the plot, for axis names and legend. */
export const GRID = { left: 64, right: 16, top: 40, bottom: 44 };
export const LEGEND = { type: "scroll" as const, top: 0, left: 0, right: 0, itemGap: 14, padding: [4, 4] };

export function xAxis(name: string, log: boolean) {
  return { type: log ? "log" : "value", name, nameLocation: "middle", nameGap: 28, ...scale(log) } as const;
}

export function yAxis(name: string, log: boolean) {
  return {
    type: log ? "log" : "value",
    name,
    nameLocation: "middle",
    nameGap: 44,
    ...scale(log),
  } as const;
}

function scale(log: boolean) {
  return { scale: !log, axisLabel: { formatter: (value: number) => compact(value) } };
}

/** SLOs as labelled lines across the plot. */
export function limitLines(palette: Palette, axis: "xAxis" | "yAxis", lines: readonly Limit[]) {
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: palette.bad, width: 1, type: "solid" as const },
    label: {
      color: palette.bad,
      fontSize: 11,
      // Along the line, where a line at the edge of the plot has room for it as well.
      position: axis === "xAxis" ? ("insideStartBottom" as const) : ("insideEndTop" as const),
      textBorderColor: palette.surface,
      textBorderWidth: 3,
    },
    data: lines.map(({ at, name }) => ({ [axis]: at, label: { formatter: name } })),
  };
}

export function faintColour(palette: Palette, alpha = 0.55): string {
  return faded(palette.faint, alpha);
}

/** Filters out empty series, which would show in the legend, except the hovered one. */
export function notEmpty({ id, data }: { id: string; data: readonly unknown[] }): boolean {
  return data.length > 0 || id === HOVERED;
}

/** Series of the hovered configuration, as a point. */
export function hoverDot(palette: Palette) {
  return {
    id: HOVERED,
    type: "scatter",
    data: [],
    silent: true,
    z: 20,
    animation: false,
    symbolSize: 14,
    itemStyle: { color: "transparent", borderColor: palette.text, borderWidth: 2 },
  };
}
