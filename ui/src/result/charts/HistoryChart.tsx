import { useCallback, useMemo, useState } from "react";
import type { Palette } from "@/charts";
import { plural } from "@/format";
import type { Row } from "../rows";
import type { Result } from "../types";
import { searchHistory, historyOption, historyOverlay, historyTable } from "./history";
import { LinkedChart } from "./LinkedChart";
import { ObjectiveSelect } from "./ObjectiveSelect";

/** Chart of the search: experiments in order, and the best so far. */
export function HistoryChart({ result, rows }: { result: Result; rows: readonly Row[] }) {
  const [which, setWhich] = useState(0);
  const data = useMemo(() => searchHistory(result, rows, which), [result, rows, which]);
  const option = useCallback((palette: Palette) => (data ? historyOption(data, palette) : {}), [data]);
  const overlay = useCallback((number: number | null) => (data ? historyOverlay(data, number) : []), [data]);
  if (!data) return null;
  return (
    <LinkedChart
      title="Search history"
      name={`${result.task_name} search history`}
      summary={`${plural(data.points.length, "experiment")} in the order they were measured, and the best so far; ${data.failed.length} failed.`}
      option={option}
      overlay={overlay}
      overlayType="scatter"
      table={historyTable(data)}
      controls={<ObjectiveSelect result={result} value={which} onChange={setWhich} />}
    />
  );
}
