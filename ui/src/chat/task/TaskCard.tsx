import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { queries, useStreamReducer } from "@/api";
import { percent } from "@/format";
import { ButtonLink, ErrorMessage, Loading, Progress, StateBadge } from "@/kit";
import { bestOf, completionOf } from "@/liveTask/progress";
import { EMPTY, type LiveTask, reduce, type TaskEvent } from "@/liveTask/reduce";
import { progressText } from "./progressText";

type Props = {
  id: string;
  /** Experiments that the plan has at most; null: not known here. */
  planned: number | null;
};

const ENDS = ["completed", "failed", "cancelled"];

/** Live card of a task that was started in this conversation. */
export function TaskCard({ id, planned }: Props) {
  const client = useQueryClient();
  const task = useQuery(queries.task(id));
  const { value: live } = useStreamReducer<TaskEvent, LiveTask>(`/api/tasks/${id}/events`, reduce, EMPTY);
  const state = live.state ?? task.data?.state ?? "queued";
  const ended = ENDS.includes(state);
  const result = useQuery({ ...queries.result(id), enabled: ended });
  useEffect(() => {
    if (ended) void client.invalidateQueries({ queryKey: ["tasks"] });
  }, [client, ended]);

  if (task.isError) return <ErrorMessage error={task.error} compact onRetry={() => void task.refetch()} />;
  if (task.data === undefined) return <Loading label="The task" height="6.5rem" />;
  const objectives = task.data.spec.optimization.objective;
  const found = objectives.length === 1 && objectives[0] ? bestOf(live.experiments, objectives[0]) : null;
  const { done } = completionOf(live, planned, 0);
  const total = Math.max(planned ?? 0, live.experiments.length, 1);
  return (
    <section
      aria-label={`Task ${task.data.spec.task_name}`}
      className="min-w-0 rounded-lg border border-line bg-surface p-3"
    >
      <div className="flex min-w-0 items-center gap-2">
        <h3 className="min-w-0 truncate text-sm font-semibold">{task.data.spec.task_name}</h3>
        <span className="font-mono text-xs text-faint">{id}</span>
        <span className="ml-auto">
          <StateBadge state={state} />
        </span>
      </div>
      <Progress
        className="mt-2.5"
        label="Experiments"
        done={state === "completed" ? total : done}
        total={total}
        intent={state === "failed" ? "bad" : state === "completed" ? "ok" : "accent"}
        text={`${done} of at most ${total} experiments`}
      />
      <p className="num mt-1.5 truncate text-xs text-muted">{progressText(live, state, planned)}</p>
      {/* Two lines, from the start: what comes moves nothing. */}
      <p className="mt-1 line-clamp-2 min-h-[2lh] text-sm" aria-live="polite">
        {ended && result.data ? (
          (state === "failed" && task.data.error) || result.data.verdict.text
        ) : found === null ? (
          <span className="text-muted">{task.data.error ?? "Nothing measured yet."}</span>
        ) : found.experiment.number === 0 ? (
          "Best so far: the engine’s defaults."
        ) : (
          <>
            Best so far: experiment {found.experiment.number}
            {found.gain !== null && (
              <>
                , <span className="num">{percent(found.gain, { sign: true })}</span> against the defaults,
                measured once
              </>
            )}
            .
          </>
        )}
      </p>
      <div className="mt-2 flex gap-2">
        <ButtonLink size="sm" to={`/tasks/${id}`}>
          Open task
        </ButtonLink>
        <ButtonLink
          size="sm"
          variant={state === "completed" ? "primary" : "plain"}
          to={`/tasks/${id}/result`}
        >
          Result
        </ButtonLink>
      </div>
    </section>
  );
}
