import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";
import { queries, type Schema, useStreamReducer } from "@/api";
import { type LiveTask, EMPTY, reduce, type TaskEvent } from "@/liveTask/reduce";
import { planOf } from "../editor/usePlan";

const ENDS = ["completed", "failed", "cancelled"];

/** A task, its live state and planned experiments. The only reader of its events on the task pages. */
export function useLiveTask(ref: string | null, following = true) {
  const client = useQueryClient();
  const task = useQuery({ ...queries.task(ref ?? ""), enabled: ref !== null });
  const id = task.data?.id ?? null;
  const stream = useStreamReducer<TaskEvent, LiveTask>(
    following && id ? `/api/tasks/${id}/events` : null,
    reduce,
    EMPTY,
  );
  const live = stream.value;
  const state = live.state ?? task.data?.state ?? "created";
  const ended = ENDS.includes(state);
  // Times and errors are only in the task itself.
  useEffect(() => {
    if (live.state !== null) void client.invalidateQueries({ queryKey: ["tasks"] });
  }, [client, live.state]);
  // The task was resumed: reconnect.
  const { again } = stream;
  const look = useEffectEvent(() => {
    const stopped = live.state !== null && ENDS.includes(live.state);
    if (stopped && stream.state === "ended" && task.data && !ENDS.includes(task.data.state)) again();
  });
  useEffect(() => look(), [task.dataUpdatedAt]);
  const plan = useQuery({
    ...planOf(JSON.stringify(task.data?.spec ?? null)),
    enabled: task.data !== undefined && state !== "created" && state !== "completed",
    staleTime: Infinity,
  });
  return { task, live, state, ended, stream, planned: expected(plan.data?.plan) };
}

/** Experiments, with as many confirmations as it takes about: most races end early. */
function expected(plan: Schema<"PlanSummary"> | null | undefined): number | null {
  return plan ? plan.experiments - plan.confirmations + plan.expected_confirmations : null;
}
