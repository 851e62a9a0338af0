import { type ChartOption, type Palette, type Rows, tooltipContent } from "@/charts";
import { axisName, quantity, scaled, shortName } from "../metrics";
import { type Row, rowName } from "../rows";
import { errorBars } from "./errorBars";
import { rounded } from "./frontier";
import { spansDecades } from "./levels";
import { limitLines, GRID, hoverLine, kindColour, LEGEND, xAxis, yAxis } from "./style";
import type { LoadCurves, Spread } from "./spreads";

type Datum = { value: [number, number]; number: number; spread: Spread };

export function loadCurvesOption(data: LoadCurves, palette: Palette): ChartOption {
  const all = data.lines.flatMap((line) => line.spreads.map((spread) => spread.load));
  const rows = new Map(data.lines.map(({ row }) => [row.number, row]));
  const colours = colouring(
    data.lines.map(({ row }) => row),
    palette,
  );
  return {
    aria: { enabled: false },
    grid: GRID,
    legend: LEGEND,
    xAxis: { ...xAxis(data.load, spansDecades(all, 4)), logBase: 2, scale: true },
    yAxis: { ...yAxis(axisName(data.choice), false), scale: false, min: 0 },
    tooltip: {
      trigger: "item",
      formatter: ({ data: at }: { data: Datum }) => tooltip(at, rows.get(at.number), data, colours),
    },
    series: [
      ...data.lines.flatMap(({ row, spreads: own }, index) => {
        const colour = colours.get(row.number) ?? palette.faint;
        const line = {
          id: `line-${row.number}`,
          name: rowName(row),
          type: "line",
          symbol: "circle",
          symbolSize: 6,
          lineStyle: { width: ["best", "baseline", "nearest"].includes(row.kind) ? 2 : 1.25, color: colour },
          itemStyle: { color: colour },
          z: 10 - index,
          data: own.map((spread) => ({
            value: [spread.load, spread.mean],
            number: row.number,
            spread,
          })),
          ...(index === 0 ? { markLine: limitLines(palette, "yAxis", data.bounds) } : {}),
        };
        const again = own.filter((spread) => spread.count > 1);
        if (again.length === 0) return [line];
        const bars = again.map(({ load, low, high }) => [load, low, high] as const);
        return [line, errorBars(`bars-${row.number}`, rowName(row), bars, colour)];
      }),
      hoverLine(palette),
    ],
  };
}

/** Colours by experiment: fixed ones for best and baseline, the rest of the palette for others. */
export function colouring(rows: readonly Row[], palette: Palette): Map<number, string> {
  const own = new Set([kindColour("best", palette), kindColour("baseline", palette)]);
  const rest = palette.series.slice(2).filter((colour) => !own.has(colour));
  let next = 0;
  return new Map(
    rows.map((row) => {
      const special = ["best", "nearest", "baseline"].includes(row.kind);
      return [
        row.number,
        special ? kindColour(row.kind, palette) : (rest[next++ % rest.length] ?? palette.faint),
      ];
    }),
  );
}

function tooltip(
  at: Datum,
  row: Row | undefined,
  { load, choice }: LoadCurves,
  colours: Map<number, string>,
): HTMLElement | string {
  if (!row) return "";
  const { spread } = at;
  const shown = (value: number) => quantity(choice.metric, value / scaled(choice.metric, 1));
  const several = spread.count > 1;
  return tooltipContent(rowName(row), [
    [load, String(spread.load)],
    [
      several ? `${shortName(choice)}, mean of ${spread.count}` : shortName(choice),
      shown(spread.mean),
      colours.get(row.number),
    ],
    ...(several ? ([["Lowest to highest", `${shown(spread.low)} to ${shown(spread.high)}`]] as const) : []),
  ]);
}

export function loadCurvesTable(data: LoadCurves): Rows {
  return {
    columns: ["Experiment", data.load, axisName(data.choice), "Lowest", "Highest", "Measurements"],
    rows: data.lines.flatMap(({ row, spreads: own }) =>
      own.map((one) => [
        rowName(row),
        one.load,
        rounded(one.mean),
        rounded(one.low),
        rounded(one.high),
        one.count,
      ]),
    ),
  };
}
