import { useCallback, useMemo } from "react";
import type { Palette } from "@/charts";
import { shortName } from "../metrics";
import { judgedRows, type Row } from "../rows";
import type { Result } from "../types";
import { LinkedChart } from "./LinkedChart";
import { tradeoff, tradeoffOption, tradeoffOverlay, tradeoffTable } from "./objectives";

/** Two objectives against each other, where a task has them. */
export function TradeoffChart({ result, rows }: { result: Result; rows: readonly Row[] }) {
  const data = useMemo(() => tradeoff(result, judgedRows(rows)), [result, rows]);
  const option = useCallback((palette: Palette) => (data ? tradeoffOption(data, palette) : {}), [data]);
  const overlay = useCallback((number: number | null) => (data ? tradeoffOverlay(data, number) : []), [data]);
  if (!data) return null;
  return (
    <LinkedChart
      title="Objectives against each other"
      name={`${result.task_name} objectives`}
      summary={`${shortName(data.first)} against ${shortName(data.second)}; ${data.front.length} of ${data.points.length} experiments are on the Pareto front.`}
      option={option}
      overlay={overlay}
      overlayType="scatter"
      table={tradeoffTable(data)}
    />
  );
}
