import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import { batch } from "./batch";
import { follow, type StreamEvent, type StreamState } from "./follow";
import type { ApiError } from "./problem";
import { usePageVisible } from "./usePageVisible";

type Options<T> = {
  /** Called with the events of a frame, in order. */
  onEvents: (events: StreamEvent<T>[]) => void;
  /** Start after this event. Read once per url. */
  lastEventId?: string | null;
};

export type EventStream = {
  state: StreamState;
  error: ApiError | null;
  /** Reconnects after it has ended or failed, for instance when a task was resumed. */
  again: () => void;
};

/**
 * Follows a stream while the component is mounted; null: none. Reconnects after the last event, and disconnects while
 * the page is hidden: a browser has six connections for all its tabs.
 */
export function useEventStream<T>(
  url: string | null,
  { onEvents, lastEventId = null }: Options<T>,
): EventStream {
  const [status, setStatus] = useState<{ state: StreamState; error: ApiError | null }>(CONNECTING);
  const [round, setRound] = useState(0);
  const position = useRef<{ url: string | null; id: string | null }>({ url: null, id: null });
  const visible = usePageVisible();
  const begin = useEffectEvent(() => lastEventId);
  const tell = useEffectEvent(onEvents);

  useEffect(() => {
    if (url === null || !visible) return;
    if (position.current.url !== url) {
      position.current = { url, id: begin() };
      setStatus(CONNECTING);
    }
    const ending = new AbortController();
    const { add, flush } = batch<StreamEvent<T>>((events) => {
      position.current.id = events.findLast((event) => event.id !== null)?.id ?? position.current.id;
      tell(events);
    });
    void follow<T>(url, {
      lastEventId: position.current.id,
      signal: ending.signal,
      onEvents: add,
      onState: (state, error) => {
        flush();
        setStatus({ state, error: error ?? null });
      },
    });
    return () => {
      ending.abort();
      flush();
    };
  }, [url, visible, round]);

  const again = useCallback(() => setRound((before) => before + 1), []);
  return { ...status, again };
}

const CONNECTING = { state: "connecting", error: null } as const;
