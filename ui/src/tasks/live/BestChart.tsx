import { memo, useCallback, useState } from "react";
import type { Schema } from "@/api";
import { Chart, type Palette } from "@/charts";
import { metricName, type Objective, quantity, shortName } from "@/format/metrics";
import { Card, Field, Select } from "@/kit";
import { bestOption, bestTable } from "./bestOption";
import { bestOf } from "./progress";
import type { LiveExperiment } from "./reduce";

type Props = { task: Schema<"Task">; runs: readonly LiveExperiment[] };

/** How the best value came about, experiment by experiment. */
export const BestChart = memo(function BestChart({ task, runs }: Props) {
  const objectives = task.spec.optimization.objective;
  const [chosen, setChosen] = useState("0");
  const at = Number(chosen);
  const objective = objectives[at];
  const option = useCallback(
    (palette: Palette) => (objective ? bestOption(runs, objective, at, palette) : {}),
    [runs, objective, at],
  );
  if (!objective) return null;
  return (
    <Card>
      <Chart
        title="Best so far"
        name={`${task.spec.task_name} best so far`}
        summary={summary(runs, objective, at)}
        option={option}
        table={bestTable(runs, objective, at)}
        height={264}
        controls={
          objectives.length > 1 && (
            <Field label="Objective" hideLabel className="w-40">
              <Select
                value={chosen}
                options={objectives.map((one, index) => ({ value: String(index), label: shortName(one) }))}
                onChange={setChosen}
              />
            </Field>
          )
        }
      />
    </Card>
  );
});

function summary(runs: readonly LiveExperiment[], objective: Objective, at: number): string {
  const best = bestOf(runs, objective, at);
  const what = `${metricName(objective.metric)} by experiment.`;
  return best
    ? `${what} The best is ${quantity(objective.metric, best.value)}, of experiment ${best.run.number}.`
    : `${what} None yet.`;
}
