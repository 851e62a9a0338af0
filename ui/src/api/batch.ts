const FRAME_MS = 16;
/** So many events within `LOOK_MS` are a replay of the past. */
const FLOOD = 30;
const LOOK_MS = 100;
/** The longest delay of a replay. */
const MOST_MS = 3_000;

/**
 * Batches the events of a frame into one call. A replay of many events is one batch as well, so that the page is drawn
 * once.
 */
export function batch<E>(tell: (events: E[]) => void): { add: (events: E[]) => void; flush: () => void } {
  let waiting: E[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const events = waiting;
    waiting = [];
    if (events.length > 0) tell(events);
  };
  const look = (seen: number, waitedMs: number) => {
    if (waiting.length - seen < FLOOD || waitedMs >= MOST_MS) flush();
    else timer = setTimeout(look, LOOK_MS, waiting.length, waitedMs + LOOK_MS);
  };
  return {
    flush,
    add: (events) => {
      for (const event of events) waiting.push(event);
      timer ??= setTimeout(look, FRAME_MS, 0, 0);
    },
  };
}
