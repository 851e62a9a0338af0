import { Card } from "@/kit";
import { HistoryChart } from "./charts/HistoryChart";
import { EffectsCharts } from "./charts/EffectsCharts";
import { FrontierChart } from "./charts/FrontierChart";
import { LoadChart } from "./charts/LoadChart";
import { ParallelChart } from "./charts/ParallelChart";
import { TradeoffChart } from "./charts/TradeoffChart";
import { type Row, searchedParams } from "./rows";
import type { Result } from "./types";

type Props = {
  result: Result;
  rows: readonly Row[];
  compared: readonly number[];
  onMark: (numbers: Set<number> | null) => void;
  /** `first`: the charts above the table; `rest`: those below it. */
  part: "first" | "rest";
};

/** The charts of a result. */
export function ResultCharts({ result, rows, compared, onMark, part }: Props) {
  if (part === "first") {
    return (
      <div className="grid min-w-0 gap-4 xl:grid-cols-2">
        <Card>
          <FrontierChart result={result} rows={rows} />
        </Card>
        <Card>
          <LoadChart result={result} rows={rows} compared={compared} />
        </Card>
      </div>
    );
  }
  const several = result.objectives.length > 1;
  return (
    <div className="grid min-w-0 gap-4 xl:grid-cols-2">
      {several && (
        <Card>
          <TradeoffChart result={result} rows={rows} />
        </Card>
      )}
      <Card className={several ? "" : "xl:col-span-2 3xl:col-span-1"}>
        <HistoryChart result={result} rows={rows} />
      </Card>
      {result.effects.length > 0 && (
        <Card className="xl:col-span-2">
          <EffectsCharts result={result} rows={rows} />
        </Card>
      )}
      {searchedParams(result).length > 0 && (
        <Card className="xl:col-span-2">
          <ParallelChart result={result} rows={rows} onMark={onMark} />
        </Card>
      )}
    </div>
  );
}
