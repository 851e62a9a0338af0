import { useCallback, useState } from "react";
import type { StreamEvent } from "./follow";
import { type EventStream, useEventStream } from "./useEventStream";

/** A stream's events reduced to a state. Another url starts with `initial` again. */
export function useStreamReducer<T, S>(
  url: string | null,
  reduce: (state: S, event: StreamEvent<T>) => S,
  initial: S,
): EventStream & { value: S } {
  const [held, setHeld] = useState({ url, value: initial });
  const onEvents = useCallback(
    (events: StreamEvent<T>[]) =>
      setHeld((before) => ({
        url,
        value: events.reduce(reduce, before.url === url ? before.value : initial),
      })),
    [url, reduce, initial],
  );
  const stream = useEventStream<T>(url, { onEvents });
  return { ...stream, value: held.url === url ? held.value : initial };
}
