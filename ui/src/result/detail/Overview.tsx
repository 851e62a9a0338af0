import { CircleAlert } from "lucide-react";
import { Code, Duration, PropertyList, Time } from "@/kit";
import { againstBaseline, operatingPoints } from "../headline/verdict";
import { SloTable } from "../headline/SloTable";
import { longName, quantity } from "../metrics";
import { valueText } from "../params";
import { reasonOf, type Row } from "../rows";
import type { Result } from "../types";

/** How sure a comparison is. */
function spreadOf({ interval }: { interval: string | null }): string {
  return interval ? `95 % interval ${interval}` : "one measurement each";
}

/** Scores, SLOs, parameters and timing of an experiment, or its failure. */
export function Overview({ result, row }: { result: Result; row: Row }) {
  const { experiment, standing } = row;
  const { failure } = experiment;
  const names = Object.keys(row.params);
  const reason = reasonOf(row);
  return (
    <div className="space-y-5">
      {reason && (
        <div className="flex gap-2 text-sm text-bad">
          <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          <p>{reason}</p>
        </div>
      )}
      {failure && failure.lines.length > 0 && (
        <Code title="The decisive lines of its log" text={failure.lines.join("\n")} wrap maxHeight="16rem" />
      )}
      {standing && standing.scores.length > 0 && (
        <PropertyList
          properties={[
            ...result.objectives.map((objective, index) => {
              const score = standing.scores[index];
              const change = row.kind === "baseline" ? null : againstBaseline(objective, standing, index);
              const value = score ? quantity(objective.metric, score.value) : "–";
              return [
                longName(objective),
                change ? `${value} (${change.text} against the baseline, ${spreadOf(change)})` : value,
              ] as const;
            }),
            ["Judged at", operatingPoints(result, standing).join("; ")],
            [
              "Place",
              standing.place === null
                ? "–"
                : `${standing.place} of ${result.standings.filter((one) => one.place !== null).length}`,
            ],
          ]}
        />
      )}
      {standing && standing.bounds.length > 0 && <SloTable result={result} standing={standing} />}
      <PropertyList
        title="Parameters"
        empty="All at the engine’s defaults."
        mono
        properties={names.map((name) => [name, valueText(row.params[name])] as const)}
      />
      <PropertyList
        title="Timing"
        properties={[
          ["Started", <Time key="at" at={experiment.started_at} as="full" />],
          ["Took", experiment.wall_s == null ? "–" : <Duration key="took" seconds={experiment.wall_s} />],
          [
            "Until it was ready",
            experiment.start_s == null ? "–" : <Duration key="start" seconds={experiment.start_s} />,
          ],
          ["GPUs", experiment.gpus === 0 ? "none" : `${experiment.gpus} (${experiment.gpu_ids.join(", ")})`],
          ["Attempt", String(experiment.attempt)],
        ]}
      />
    </div>
  );
}
