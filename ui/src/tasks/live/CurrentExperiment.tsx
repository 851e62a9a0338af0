import type { Schema } from "@/api";
import { Badge, Card, Duration } from "@/kit";
import type { LiveTask } from "@/liveTask/reduce";
import { LiveLoadLevels } from "./LiveLoadLevels";
import { ParamsText } from "./ParamsText";
import { Phases } from "./Phases";

type Props = { task: Schema<"Task">; live: LiveTask; state: Schema<"TaskState"> };

/** The running or last experiment: parameters, phase and load points. */
export function CurrentExperiment({ task, live, state }: Props) {
  const { now } = live;
  const experiment = live.experiments.find((one) => one.number === now?.number);
  const running = state === "running" && experiment?.state === "running";
  return (
    <Card
      title={now ? `Experiment ${now.number}` : "Experiment"}
      padded={false}
      actions={
        experiment && (
          <>
            <Badge>{experiment.role}</Badge>
            {experiment.attempt > 1 && <Badge intent="warn">attempt {experiment.attempt}</Badge>}
            <span className="w-20 text-right text-sm text-muted">
              {running ? (
                <Duration since={experiment.startedAt} />
              ) : experiment.seconds !== null ? (
                <Duration seconds={experiment.seconds} />
              ) : (
                "–"
              )}
            </span>
          </>
        )
      }
    >
      <div className="space-y-3 px-4 py-3">
        <div className="min-h-5">
          {experiment ? (
            <ParamsText params={experiment.params} />
          ) : (
            <span className="text-muted">None has begun.</span>
          )}
        </div>
        <Phases
          now={now}
          running={running}
          failed={experiment?.state === "failed"}
          cancelling={live.cancelling}
        />
        {experiment?.failure && <p className="break-words text-sm text-bad">{experiment.failure}</p>}
        {now?.retried && running && (
          <p className="break-words text-sm text-warn">Tried again: {now.retried}</p>
        )}
      </div>
      <LiveLoadLevels spec={task.spec} now={now} running={running} />
    </Card>
  );
}
