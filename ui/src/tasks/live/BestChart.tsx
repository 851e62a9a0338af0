import { memo, useCallback, useState } from "react";
import type { Schema } from "@/api";
import { Chart, type Palette } from "@/charts";
import { metricName, type Objective, quantity, shortName } from "@/format/metrics";
import { Card, Field, Select } from "@/kit";
import { bestOf } from "@/liveTask/progress";
import type { LiveExperiment } from "@/liveTask/reduce";
import { bestOption, bestTable } from "./bestOption";

type Props = { task: Schema<"Task">; experiments: readonly LiveExperiment[] };

/** Chart of the best value over experiments. */
export const BestChart = memo(function BestChart({ task, experiments }: Props) {
  const objectives = task.spec.optimization.objective;
  const [chosen, setChosen] = useState("0");
  const at = Number(chosen);
  const objective = objectives[at];
  const option = useCallback(
    (palette: Palette) => (objective ? bestOption(experiments, objective, at, palette) : {}),
    [experiments, objective, at],
  );
  if (!objective) return null;
  return (
    <Card>
      <Chart
        title="Best so far"
        name={`${task.spec.task_name} best so far`}
        summary={summary(experiments, objective, at)}
        option={option}
        table={bestTable(experiments, objective, at)}
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

function summary(experiments: readonly LiveExperiment[], objective: Objective, at: number): string {
  const best = bestOf(experiments, objective, at);
  const what = `${metricName(objective.metric)} by experiment.`;
  return best
    ? `${what} The best is ${quantity(objective.metric, best.value)}, of experiment ${best.experiment.number}.`
    : `${what} None yet.`;
}
