type Work = () => unknown;

const waiting = new Set<Work>();
let working = false;

/**
 * One piece of work after another, each after a paint: what is typed or clicked meanwhile is answered in between.
 * Returns what takes it back while it waits.
 */
export function inTurn(work: Work): () => void {
  waiting.add(work);
  if (!working) void workOff();
  return () => void waiting.delete(work);
}

async function workOff(): Promise<void> {
  working = true;
  for (const work of waiting) {
    await painted();
    if (!waiting.delete(work)) continue; // taken back
    try {
      await work();
    } catch (error) {
      reportError(error);
    }
  }
  working = false;
}

const painted = () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
