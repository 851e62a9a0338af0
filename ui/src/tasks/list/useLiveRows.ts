import { useMemo } from "react";
import { hasEnded } from "@/liveTask/progress";
import { useLiveTask } from "../live/useLiveTask";
import type { Row } from "./rows";

/**
 * The rows, with what the events of running tasks tell. A browser has six connections for all its tabs: two rows are
 * followed, of the others one hears at the next look.
 */
export function useLiveRows(rows: readonly Row[]): readonly Row[] {
  const [first, second] = rows.filter((row) => row.state === "running");
  const a = useLiveRow(first?.id ?? null);
  const b = useLiveRow(second?.id ?? null);
  return useMemo(() => {
    const news = [a, b].filter((one) => one !== null);
    if (news.length === 0) return rows;
    return rows.map((row) => {
      const told = news.find((one) => one.id === row.id);
      return told ? { ...row, ...told } : row;
    });
  }, [rows, a, b]);
}

function useLiveRow(id: string | null): (Pick<Row, "id" | "completed" | "failed"> & Partial<Row>) | null {
  const { live, planned } = useLiveTask(id);
  const { experiments } = live;
  const told = live.state !== null;
  return useMemo(() => {
    if (id === null || !told) return null;
    const past = experiments.filter(hasEnded);
    const failed = past.filter((experiment) => experiment.state === "failed").length;
    return {
      id,
      completed: past.length - failed,
      failed,
      total: planned === null ? null : Math.max(planned, experiments.length),
    };
  }, [id, told, experiments, planned]);
}
