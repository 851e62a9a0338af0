import type { ECharts } from "echarts/core";
import { useCallback, useMemo, useState } from "react";
import { Chart, type Palette } from "@/charts";
import { percent } from "@/format";
import { Select } from "@/kit";
import { judgedRows, type Row } from "../rows";
import type { Result } from "../types";
import { EffectValues } from "./EffectValues";
import { importanceOption, importanceTable } from "./importance";
import { LinkedChart } from "./LinkedChart";
import { ObjectiveSelect } from "./ObjectiveSelect";
import { slice, sliceOption, sliceOverlay, sliceTable } from "./slices";

const ROW_PX = 34;
const MOST_PX = 200;

/** Importance of the parameters, and the experiments over the values of one. */
export function EffectsCharts({ result, rows }: { result: Result; rows: readonly Row[] }) {
  const { effects } = result;
  const [wanted, setWanted] = useState<string | null>(null);
  const [which, setWhich] = useState(0);
  const name = effects.find((effect) => effect.name === wanted)?.name ?? effects[0]?.name ?? "";
  const importance = useCallback(
    (palette: Palette) => importanceOption(effects, name, palette),
    [effects, name],
  );
  const listen = useCallback(
    (chart: ECharts) => {
      chart.on("click", ({ dataIndex, value }) => {
        const clicked = effects[dataIndex ?? -1]?.name ?? value;
        if (typeof clicked === "string") setWanted(clicked);
      });
      return undefined;
    },
    [effects],
  );
  const data = useMemo(() => slice(result, judgedRows(rows), name, which), [result, rows, name, which]);
  const option = useCallback((palette: Palette) => (data ? sliceOption(data, palette) : {}), [data]);
  const overlay = useCallback((number: number | null) => (data ? sliceOverlay(data, number) : []), [data]);
  const most = effects[0];
  if (!most || !data) return null;
  return (
    <div className="grid min-w-0 gap-6 lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
      <div className="min-w-0 space-y-4">
        <Chart
          title="What each parameter explains"
          name={`${result.task_name} importance`}
          summary={`${most.name} explains ${most.importance === null ? "nothing that is known" : percent(most.importance)} of the differences between configurations, the most of ${effects.length} parameters.`}
          height={Math.min(MOST_PX, Math.max(72, effects.length * ROW_PX + 16))}
          option={importance}
          table={importanceTable(effects)}
          onReady={listen}
        />
        <EffectValues effect={effects.find((effect) => effect.name === name) ?? most} />
      </div>
      <LinkedChart
        title={`Effect of ${name}`}
        name={`${result.task_name} effect of ${name}`}
        summary={`${data.points.length} experiments over ${name}.`}
        option={option}
        overlay={overlay}
        overlayType="scatter"
        table={sliceTable(data)}
        controls={
          <>
            <ObjectiveSelect result={result} value={which} onChange={setWhich} />
            <Select
              aria-label="Parameter"
              value={name}
              onChange={setWanted}
              options={effects.map((effect) => ({ value: effect.name, label: effect.name }))}
              className="w-44"
            />
          </>
        }
      />
    </div>
  );
}
