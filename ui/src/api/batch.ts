const FRAME_MS = 16;
/** So many within `LOOK_MS` are no news but a past that is read up. */
const FLOOD = 30;
const LOOK_MS = 100;
/** Who waits so long for the end of it sees what there is. */
const MOST_MS = 3_000;

/**
 * Gathers what comes within a frame, and tells it at once. A long past is told when all of it has come: nobody wants
 * to see it pass.
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
