import { useCallback, useEffect, useEffectEvent, useRef, useState } from "react";
import { batch } from "./batch";
import { follow, type StreamEvent, type StreamState } from "./follow";
import type { ApiError } from "./problem";
import { usePageVisible } from "./usePageVisible";

type Options<T> = {
  /** All events that came since the last frame was drawn, in order: one update of the page for many of them. */
  onEvents: (events: StreamEvent<T>[]) => void;
  /** Where to begin: after this event. Only what it is at the first moment of a url counts. */
  lastEventId?: string | null;
};

export type EventStream = {
  state: StreamState;
  error: ApiError | null;
  /** Reads on after it has ended or failed: the task was resumed, say. */
  again: () => void;
};

/**
 * Follows a stream of the service as long as the component is there; null: none. It goes on where it was after the
 * connection was lost, and rests while nobody looks at the page: a browser has six connections, for all its tabs.
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
