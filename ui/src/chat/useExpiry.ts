import { useEffect, useState } from "react";
import type { Thread } from "./thread/model";
import { nextExpiry, openApprovals } from "./thread/selectors";

const LONGEST_MS = 2 ** 31 - 1;

/** Current time, updated when the next approval expires. */
export function useExpiry(thread: Thread): number {
  const [now, setNow] = useState(() => Date.now());
  const next = nextExpiry(openApprovals(thread, now));
  useEffect(() => {
    if (next === null) return;
    const timer = setTimeout(
      () => setNow(Date.now()),
      Math.min(LONGEST_MS, Math.max(0, next - Date.now()) + 50),
    );
    return () => clearTimeout(timer);
  }, [next, now]);
  return now;
}
