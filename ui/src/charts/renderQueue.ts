type Work = () => unknown;

const queue = new Set<Work>();
let busy = false;

/**
 * Queues work that blocks the page: one piece after each paint, so that input is handled in between. Returns a function
 * that removes it from the queue.
 */
export function queueRender(work: Work): () => void {
  queue.add(work);
  if (!busy) void runQueue();
  return () => void queue.delete(work);
}

async function runQueue(): Promise<void> {
  busy = true;
  for (const work of queue) {
    await painted();
    if (!queue.delete(work)) continue; // taken back
    try {
      await work();
    } catch (error) {
      reportError(error);
    }
  }
  busy = false;
}

const painted = () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
