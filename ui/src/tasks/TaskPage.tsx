import { useCallback, useState } from "react";
import { useNavigate, useParams } from "react-router";
import { ButtonLink, ErrorMessage, Loading, Page, StateBadge, Time } from "@/kit";
import { BestChart } from "./live/BestChart";
import { NotStarted } from "./live/NotStarted";
import { TaskFigures } from "./live/TaskFigures";
import { CurrentExperiment } from "./live/CurrentExperiment";
import { LiveExperiments } from "./live/LiveExperiments";
import { TaskActions } from "./live/TaskActions";
import { useLiveTask } from "./live/useLiveTask";
import { QueueNotice } from "./live/QueueNotice";
import { LogPanel } from "./log/LogPanel";

/** A task: its plan before the start, then its progress. */
export default function TaskPage() {
  const { id = "" } = useParams();
  const go = useNavigate();
  const [leaving, setLeaving] = useState(false);
  const { task: query, live, state, ended, stream, planned } = useLiveTask(id, !leaving);
  const task = query.data;
  const openResult = useCallback(() => void go(`/tasks/${id}/result`), [go, id]);
  if (!task) {
    return (
      <Page title="Task">
        {query.isError ? (
          <ErrorMessage
            error={query.error}
            onRetry={() => void query.refetch()}
            action={
              <ButtonLink to="/tasks" size="sm">
                All tasks
              </ButtonLink>
            }
          />
        ) : (
          <Loading label="The task" height="480px" />
        )}
      </Page>
    );
  }
  const { spec } = task;
  return (
    <Page
      title={spec.task_name}
      heading={
        <h1 className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 text-xl font-semibold tracking-tight">
          <span className="min-w-0 break-words">{spec.task_name}</span> <StateBadge state={state} />
        </h1>
      }
      detail={
        <span className="flex flex-wrap gap-x-3">
          <span>{spec.base_runtime}</span>
          <span className="break-all">{spec.model.id_or_path}</span>
          <span className="font-mono text-xs leading-5">{task.id}</span>
          <span>
            created <Time at={task.created_at} />
          </span>
        </span>
      }
      actions={<TaskActions task={task} state={state} onChanged={stream.again} onLeaving={setLeaving} />}
    >
      <div className="space-y-4">
        {spec.description && (
          <p className="max-w-4xl whitespace-pre-line break-words text-sm text-muted">{spec.description}</p>
        )}
        {task.error && ended && (
          <p
            role="alert"
            className="whitespace-pre-line break-words rounded-lg border border-bad/40 bg-bad-soft px-4 py-3 text-sm"
          >
            {task.error}
          </p>
        )}
        {stream.error && <ErrorMessage compact error={stream.error} onRetry={stream.again} />}
        {state === "queued" && <QueueNotice />}
        {state === "created" && live.experiments.length === 0 ? (
          <NotStarted task={task} />
        ) : (
          <>
            <TaskFigures task={task} live={live} state={state} planned={planned} />
            <div className="grid gap-4 xl:grid-cols-2">
              <CurrentExperiment task={task} live={live} state={state} />
              <BestChart task={task} experiments={live.experiments} />
            </div>
            <div className="grid gap-4 2xl:grid-cols-2">
              <LiveExperiments task={task} experiments={live.experiments} onOpen={openResult} />
              <LogPanel key={task.id} task={task.id} experiments={live.experiments.length} ended={ended} />
            </div>
          </>
        )}
      </div>
    </Page>
  );
}
