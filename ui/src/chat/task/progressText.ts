import type { Schema } from "@/api";
import { plural } from "@/format";
import type { TaskProgress } from "./progress";

/** How far a task is, in a line. Pure. */
export function progressText(
  progress: TaskProgress,
  state: Schema<"TaskState">,
  planned: number | null,
): string {
  const { done, failed, number, phase } = progress;
  const counted =
    planned !== null && state !== "completed"
      ? `${done} of at most ${plural(planned, "experiment")}`
      : plural(done, "experiment");
  const now = state !== "running" ? "" : number === null ? "choosing the next one" : `experiment ${number}`;
  return [counted, failed > 0 ? `${failed} failed` : "", now, number === null ? "" : (phase ?? "")]
    .filter(Boolean)
    .join(" · ");
}
