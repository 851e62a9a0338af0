import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { type StreamEvent, useStreamReducer } from "@/api";
import { type AguiEvent, EMPTY, type Thread } from "./thread/model";
import { reduce } from "./thread/reduce";
import { isRunning } from "./thread/selectors";

const step = (before: Thread, event: StreamEvent<AguiEvent>) => reduce(before, event.data);

/** A session's thread, reduced from its stream. */
export function useThread(sessionId: string) {
  const client = useQueryClient();
  const { value: thread, ...stream } = useStreamReducer<AguiEvent, Thread>(
    `/api/agent/sessions/${sessionId}/events`,
    step,
    EMPTY,
  );
  // With a turn the session's title, its place in the list and its use of tokens change.
  const works = isRunning(thread);
  const begun = thread.entries.length > 0;
  useEffect(() => {
    if (begun) void client.invalidateQueries({ queryKey: ["sessions"] });
  }, [client, works, begun]);
  return { thread, stream };
}
