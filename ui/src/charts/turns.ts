let turn: Promise<unknown> = Promise.resolve();

/** One after another, with room between them: what is typed or clicked meanwhile is answered before the next begins. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = turn.then(work);
  turn = done.then(rest, rest);
  return done;
}

/** Until what came of it has been painted. */
const rest = () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
