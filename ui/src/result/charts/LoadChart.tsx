import { useCallback, useMemo, useState } from "react";
import type { Palette } from "@/charts";
import { plural } from "@/format";
import { Select } from "@/kit";
import { type Choice, isLatency, METRICS, shortName, STATISTICS } from "../metrics";
import { judgedRows, gpusDiffer, type Row, scenarios } from "../rows";
import type { Result, Statistic } from "../types";
import { LinkedChart } from "./LinkedChart";
import { loadCurvesOption, loadCurvesTable } from "./loadCurves";
import { loadCurves, spreads } from "./spreads";
import { ScenarioSelect } from "./ScenarioSelect";

/** Besides the baseline, where nothing is chosen to be compared. */
const BEST = 5;

type Props = { result: Result; rows: readonly Row[]; compared: readonly number[] };

/** One metric against load: baseline and best configurations, or those that are compared. */
export function LoadChart({ result, rows, compared }: Props) {
  const [choice, setChoice] = useState<Choice>(() => {
    const aim = result.objectives[0];
    return aim
      ? { metric: aim.metric, statistic: aim.statistic }
      : { metric: "output_tokens_per_s", statistic: "mean" };
  });
  const [scenario, setScenario] = useState(scenarios(result)[0] ?? "");
  const shown = useMemo(() => chosen(rows, compared), [rows, compared]);
  const data = useMemo(() => loadCurves(result, shown, scenario, choice), [result, shown, scenario, choice]);
  const option = useCallback((palette: Palette) => loadCurvesOption(data, palette), [data]);
  const overlay = useCallback(
    (number: number | null) => {
      const row = rows.find((one) => one.number === number);
      return row ? spreads(result, row, scenario, choice).map((one) => [one.load, one.mean]) : [];
    },
    [result, rows, scenario, choice],
  );
  const metrics = METRICS.filter((one) => one !== "output_tokens_per_s_per_gpu" || gpusDiffer(result));
  const again = data.lines.filter((line) => line.spreads.some((one) => one.count > 1)).length;
  return (
    <LinkedChart
      title="Metric against load"
      name={`${result.task_name} ${shortName(choice)} against load`}
      summary={`${shortName(choice)} of ${plural(shown.length, "configuration")} over ${data.load.toLowerCase()}; ${again} of them measured several times, with bars from the lowest to the highest.`}
      height={360}
      option={option}
      overlay={overlay}
      overlayType="line"
      table={loadCurvesTable(data)}
      controls={
        <>
          <ScenarioSelect result={result} value={scenario} onChange={setScenario} />
          <Select
            aria-label="Metric"
            value={choice.metric}
            onChange={(metric) =>
              setChoice({ metric, statistic: isLatency(metric) ? choice.statistic : "mean" })
            }
            options={metrics.map((value) => ({
              value,
              label: shortName({ metric: value, statistic: "mean" }),
            }))}
            className="w-32"
          />
          <Select<Statistic>
            aria-label="Statistic"
            value={choice.statistic}
            disabled={!isLatency(choice.metric)}
            onChange={(statistic) => setChoice({ ...choice, statistic })}
            options={STATISTICS.map((value) => ({ value, label: value }))}
            className="w-20"
          />
        </>
      }
    />
  );
}

function chosen(rows: readonly Row[], compared: readonly number[]): Row[] {
  const all = judgedRows(rows).sort((a, b) => (a.standing?.place ?? 0) - (b.standing?.place ?? 0));
  const wanted = new Set(compared.length > 0 ? compared : all.slice(0, BEST).map((row) => row.number));
  return all.filter((row) => wanted.has(row.number) || row.kind === "baseline");
}
