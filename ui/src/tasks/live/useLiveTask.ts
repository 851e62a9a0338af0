import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";
import { queries, useStreamReducer } from "@/api";
import { type LiveTask, EMPTY, reduce, type TaskEvent } from "@/liveTask/reduce";
import { planOf } from "../editor/usePlan";

const ENDS = ["completed", "failed", "cancelled"];

/** A task, what its events tell, and how many experiments it plans. The one reader of its events on a page. */
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
  // What only the task itself has: when it began and ended, and why it failed.
  useEffect(() => {
    if (live.state !== null) void client.invalidateQueries({ queryKey: ["tasks"] });
  }, [client, live.state]);
  // It was resumed, from here or from elsewhere: its events go on.
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
  return { task, live, state, ended, stream, planned: plan.data?.plan?.experiments ?? null };
}
