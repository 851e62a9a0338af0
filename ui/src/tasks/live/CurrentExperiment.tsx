import type { Schema } from "@/api";
import { Badge, Card, Duration } from "@/kit";
import { LiveLoadLevels } from "./LiveLoadLevels";
import { ParamsText } from "./ParamsText";
import { Phases } from "./Phases";
import type { LiveTask } from "./reduce";

type Props = { task: Schema<"Task">; live: LiveTask; state: Schema<"TaskState"> };

/** The experiment that runs, or ran last: what it is, what it does, and what it has measured. */
export function CurrentExperiment({ task, live, state }: Props) {
  const { now } = live;
  const run = live.runs.find((one) => one.number === now?.number);
  const running = state === "running" && run?.state === "running";
  return (
    <Card
      title={now ? `Experiment ${now.number}` : "Experiment"}
      padded={false}
      actions={
        run && (
          <>
            <Badge>{run.role}</Badge>
            {run.attempt > 1 && <Badge intent="warn">attempt {run.attempt}</Badge>}
            <span className="w-20 text-right text-sm text-muted">
              {running ? (
                <Duration since={run.startedAt} />
              ) : run.seconds !== null ? (
                <Duration seconds={run.seconds} />
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
          {run ? <ParamsText params={run.params} /> : <span className="text-muted">None has begun.</span>}
        </div>
        <Phases now={now} running={running} failed={run?.state === "failed"} cancelling={live.cancelling} />
        {run?.failure && <p className="break-words text-sm text-bad">{run.failure}</p>}
        {now?.retried && running && (
          <p className="break-words text-sm text-warn">Tried again: {now.retried}</p>
        )}
      </div>
      <LiveLoadLevels spec={task.spec} now={now} running={running} />
    </Card>
  );
}
