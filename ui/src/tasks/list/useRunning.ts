import { useMemo } from "react";
import { useNow } from "@/kit";
import { bestOf, courseOf } from "../live/progress";
import { useLiveTask } from "../live/useLiveTask";
import type { RowLive } from "./columns";
import type { Row } from "./rows";

/** A browser has six connections for all its tabs: two rows are followed, the others are seen at the next look. */
export function useRunning(rows: readonly Row[]): ReadonlyMap<string, RowLive> {
  const [first, second] = rows.filter((row) => row.state === "running");
  const a = useRow(first?.id ?? null);
  const b = useRow(second?.id ?? null);
  return useMemo(() => new Map([a, b].flatMap((one) => (one ? [one] : []))), [a, b]);
}

function useRow(id: string | null): [string, RowLive] | null {
  const { task, live, planned } = useLiveTask(id);
  const now = useNow(false);
  const objective = task.data?.spec.optimization.objective[0];
  return useMemo(() => {
    if (id === null || live.state === null) return null;
    const gain = objective ? (bestOf(live.runs, objective)?.gain ?? null) : null;
    return [id, { course: courseOf(live, planned, now), gain }];
  }, [id, live, planned, now, objective]);
}
