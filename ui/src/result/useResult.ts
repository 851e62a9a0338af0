import { useQuery, useQueryClient } from "@tanstack/react-query";
import { queries, type Schema, type StreamEvent, useEventStream } from "@/api";
import type { Result } from "./types";

const ENDED: readonly Result["state"][] = ["completed", "failed", "cancelled"];

/** The result of a task; while it runs, refetched when an experiment starts or ends. */
export function useResult(task: string) {
  const client = useQueryClient();
  const result = useQuery(queries.result(task));
  const going =
    result.data !== undefined && result.data.state !== "created" && !ENDED.includes(result.data.state);
  useEventStream<Schema<"Event">>(going ? `/api/tasks/${task}/events` : null, {
    onEvents: (events) => {
      if (events.some(counts)) void client.invalidateQueries({ queryKey: queries.result(task).queryKey });
    },
  });
  return result;
}

/** Whether an event changes the result: phases and load points do not. */
function counts({ event }: StreamEvent): boolean {
  return event !== "phase" && event !== "load_point";
}
