import { useCallback, useMemo, useState } from "react";
import { Select } from "@/kit";
import { axisName, type Choice, LATENCIES, STATISTICS, shortName } from "../metrics";
import { judgedRows, gpusDiffer, type Row, scenarios } from "../rows";
import type { Metric, Result } from "../types";
import { frontier, frontierOption, frontierOverlay, frontierTable } from "./frontier";
import { usualLatency, usualRate, spansDecades } from "./levels";
import { LinkedChart } from "./LinkedChart";
import { ScaleSwitch } from "./ScaleSwitch";
import { ScenarioSelect } from "./ScenarioSelect";

/** Throughput against latency, of every configuration at every load level. */
export function FrontierChart({ result, rows }: { result: Result; rows: readonly Row[] }) {
  const [latency, setLatency] = useState<Choice>(() => usualLatency(result));
  const [rate, setRate] = useState<Metric>(() => usualRate(result));
  const [scenario, setScenario] = useState(scenarios(result)[0] ?? "");
  const [log, setLog] = useState<boolean | null>(null);
  const data = useMemo(() => {
    const made = frontier(result, judgedRows(rows), { scenario, latency, rate, log: log ?? false });
    const spread = made.lines.flatMap((line) => line.levels.map((level) => level.x));
    return log === null ? { ...made, log: spansDecades(spread) } : made;
  }, [result, rows, scenario, latency, rate, log]);
  const option = useCallback(
    (palette: Parameters<typeof frontierOption>[1]) => frontierOption(data, palette),
    [data],
  );
  const overlay = useCallback((number: number | null) => frontierOverlay(data, number), [data]);
  return (
    <LinkedChart
      title="Throughput against latency"
      name={`${result.task_name} throughput against latency`}
      summary={summary(data.front.length, rows.length, shortName(latency))}
      height={360}
      option={option}
      overlay={overlay}
      overlayType="line"
      table={frontierTable(data)}
      controls={
        <>
          <ScenarioSelect result={result} value={scenario} onChange={setScenario} />
          {gpusDiffer(result) && (
            <Select
              aria-label="Throughput"
              value={rate}
              onChange={setRate}
              options={RATES}
              className="w-36"
            />
          )}
          <Select
            aria-label="Latency"
            value={`${latency.metric}.${latency.statistic}`}
            onChange={(next) => setLatency(CHOICES.find(({ value }) => value === next)?.choice ?? latency)}
            options={CHOICES}
            className="w-32"
          />
          <ScaleSwitch label={`${axisName(latency)}, logarithmic`} on={data.log} onChange={setLog} />
        </>
      }
    />
  );
}

const CHOICES = LATENCIES.flatMap((metric) =>
  STATISTICS.filter((one) => one !== "min" && one !== "max").map((statistic) => ({
    value: `${metric}.${statistic}`,
    label: shortName({ metric, statistic }),
    choice: { metric, statistic } satisfies Choice,
  })),
);
const RATES: { value: Metric; label: string }[] = (
  ["output_tokens_per_s_per_gpu", "output_tokens_per_s"] as const
).map((value) => ({
  value,
  label: shortName({ metric: value, statistic: "mean" }),
}));

function summary(front: number, all: number, latency: string): string {
  return `Every load level of ${all} experiments over ${latency}; ${front} levels are on the Pareto front, where none is faster at the same latency.`;
}
