import type { ECharts } from "echarts/core";
import { useCallback, useMemo, useRef } from "react";
import type { Palette } from "@/charts";
import { plural } from "@/format";
import { judgedRows, type Row, searchedParams } from "../rows";
import type { Result } from "../types";
import { LinkedChart } from "./LinkedChart";
import { type Brushes, marked, parallel } from "./parallel";
import { parallelOption, parallelOverlay, parallelTable } from "./parallelOption";

/** More axes than this cannot be told apart; the most important parameters are shown. */
const MOST_AXES = 8;

type Props = {
  result: Result;
  rows: readonly Row[];
  /** Experiments inside the selected ranges; null: no selection. */
  onMark: (numbers: Set<number> | null) => void;
};

type Selected = { parallelAxisId?: string; intervals?: [number, number][] };

/** Every configuration as a line through its parameters. Dragging along an axis chooses experiments for the table. */
export function ParallelChart({ result, rows, onMark }: Props) {
  const data = useMemo(() => {
    const order = result.effects.map((effect) => effect.name);
    const names = searchedParams(result).sort((a, b) => rank(order, a) - rank(order, b));
    return parallel(result, judgedRows(rows), names.slice(0, MOST_AXES));
  }, [result, rows]);
  const brushes = useRef<Brushes>({});
  const now = useRef({ data, onMark });
  const option = useCallback(
    (palette: Palette) => {
      now.current = { data, onMark };
      return parallelOption(data, palette);
    },
    [data, onMark],
  );
  const overlay = useCallback((number: number | null) => parallelOverlay(data, number), [data]);
  const listen = useCallback((chart: ECharts) => {
    brushes.current = {};
    now.current.onMark(null);
    chart.on("axisareaselected", (event) => {
      const { parallelAxisId, intervals } = event as Selected;
      if (parallelAxisId === undefined) return;
      brushes.current = { ...brushes.current, [parallelAxisId]: intervals ?? [] };
      now.current.onMark(marked(now.current.data, brushes.current));
    });
  }, []);
  if (data.axes.length === 0) return null;
  return (
    <LinkedChart
      title="Parallel coordinates"
      name={`${result.task_name} parallel coordinates`}
      summary={`${plural(data.lines.length, "configuration")} as lines through ${data.axes.map((axis) => axis.name).join(", ")}. Drag along an axis to choose some of them.`}
      option={option}
      overlay={overlay}
      overlayType="parallel"
      table={parallelTable(data)}
      onReady={listen}
      height={340}
      controls={
        <span className="mr-1 hidden text-xs text-muted sm:inline">
          Drag along an axis to choose experiments
        </span>
      }
    />
  );
}

function rank(order: readonly string[], name: string): number {
  const at = order.indexOf(name);
  return at < 0 ? order.length : at;
}
