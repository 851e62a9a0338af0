import type { CDPSession, Page } from "@playwright/test";

type Interaction = {
  type: string;
  ms: number;
  /** Of them, what the page itself did before there was nothing left but to draw. */
  workedMs: number;
};
type Seen = { interactions: Interaction[]; tasks: number[]; settle: () => Promise<void> };

declare global {
  interface Window {
    seen: Seen;
  }
}

/** From now on a page keeps what its user waits for: interactions until the next paint, and long tasks. Before `goto`. */
export const observe = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    const seen: Seen = { interactions: [], tasks: [], settle: () => Promise.resolve() };
    const events = (entries: PerformanceEntryList) => {
      for (const entry of entries as (PerformanceEventTiming & { interactionId?: number })[]) {
        if (!entry.interactionId) continue;
        seen.interactions.push({
          type: entry.name,
          ms: entry.duration,
          workedMs: entry.processingEnd - entry.processingStart,
        });
      }
    };
    const tasks = (entries: PerformanceEntryList) => seen.tasks.push(...entries.map((one) => one.duration));
    const watched = new PerformanceObserver((list) => events(list.getEntries()));
    watched.observe({ type: "event", durationThreshold: 16, buffered: true } as PerformanceObserverInit);
    const busy = new PerformanceObserver((list) => tasks(list.getEntries()));
    busy.observe({ type: "longtask", buffered: true });
    seen.settle = async () => {
      await new Promise((resolve) => setTimeout(resolve, 250));
      events(watched.takeRecords());
      tasks(busy.takeRecords());
    };
    window.seen = seen;
  });

/** The slowest interaction until now, and what it was; those of less than 16 ms count as 16. Forgets them. */
export async function slowest(page: Page): Promise<Interaction & { count: number }> {
  return page.evaluate(async () => {
    await window.seen.settle();
    const all = window.seen.interactions.splice(0).sort((a, b) => b.ms - a.ms);
    const { eventCounts } = performance as Performance & { eventCounts: Map<string, number> };
    const count = (eventCounts.get("pointerdown") ?? 0) + (eventCounts.get("keydown") ?? 0);
    return { type: "none", ms: 16, workedMs: 0, ...all[0], count };
  });
}

/** The longest task of the page's script until now, in ms; 50 where none was longer. Forgets them. */
export async function longest(page: Page): Promise<number> {
  return page.evaluate(async () => {
    await window.seen.settle();
    return Math.max(50, ...window.seen.tasks.splice(0));
  });
}

/** What the page's script holds when nothing is left that can go, in MB. */
export async function held(client: CDPSession): Promise<number> {
  for (let round = 0; round < 3; round++) await client.send("HeapProfiler.collectGarbage");
  const { usedSize } = await client.send("Runtime.getHeapUsage");
  return usedSize / 1e6;
}
