import { axisName, scaled } from "../metrics";
import type { Row } from "../rows";
import type { Objective, Result } from "../types";
import { type Axis, paramAxis, placeOn } from "./slices";

export type Line = { row: Row; places: (number | null)[]; values: number[] };
export type Parallel = { axes: Axis[]; objectives: Objective[]; lines: Line[] };

/** Selected ranges by axis; several on one axis are alternatives. */
export type Brushes = Record<string, readonly (readonly [number, number])[]>;

/** Every configuration as a line through its parameters and objectives. */
export function parallel(result: Result, rows: readonly Row[], names: readonly string[]): Parallel {
  const axes = names.map((name) =>
    paramAxis(
      name,
      rows.map((row) => row.params[name]),
    ),
  );
  const lines = rows.map((row) => ({
    row,
    places: axes.map((axis) => placeOn(axis, row.params[axis.name])),
    values: (row.standing?.scores ?? []).map((score, index) =>
      scaled(result.objectives[index]?.metric ?? "ttft", score.value),
    ),
  }));
  return { axes, objectives: result.objectives, lines };
}

/** Experiments inside the selected ranges of all axes; null: no selection. */
export function marked(data: Parallel, brushes: Brushes): Set<number> | null {
  const used = Object.entries(brushes).filter(([, ranges]) => ranges.length > 0);
  if (used.length === 0) return null;
  const names = [...data.axes.map((axis) => axis.name), ...data.objectives.map(axisName)];
  const through = ({ places, values }: Line) =>
    used.every(([name, ranges]) => {
      const at = [...places, ...values][names.indexOf(name)];
      return at != null && ranges.some(([low, high]) => at >= low && at <= high);
    });
  return new Set(data.lines.filter(through).map((line) => line.row.number));
}
