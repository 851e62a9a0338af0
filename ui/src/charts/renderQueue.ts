type Work = () => unknown;

const queue = new Set<Work>();
let busy = false;

/**
 * One piece of work after another, each after a paint: what is typed or clicked meanwhile is answered in between.
 * Returns what takes it back while it waits.
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
