import type { Palette } from "@/charts";
import type { Row } from "../rows";
import { faintColour, kindColour } from "./style";

type Point = { row: Row; x: number; y: number };
export type Dot = { value: [number, number]; number: number };

/** Experiments as dots of a size in pixels: a group for each kind that the legend tells apart. */
export function dots(points: readonly Point[], palette: Palette, size = 7) {
  const group = (name: string, kinds: Row["kind"][], colour: string, symbolSize: number, hollow = false) => ({
    id: name,
    name,
    type: "scatter" as const,
    symbolSize,
    z: symbolSize,
    itemStyle: { color: hollow ? "transparent" : colour, borderColor: colour, borderWidth: hollow ? 1.2 : 0 },
    data: points
      .filter(({ row }) => kinds.includes(row.kind))
      .map(({ row, x, y }): Dot => ({ value: [x, y], number: row.number })),
  });
  return [
    group("Meets the SLOs", ["candidate"], faintColour(palette, 0.8), size),
    group("Misses a hard SLO", ["infeasible"], palette.bad, size, true),
    group("Baseline", ["baseline"], kindColour("baseline", palette), size + 4),
    group("Best", ["best", "nearest"], kindColour("best", palette), size + 4),
  ];
}
