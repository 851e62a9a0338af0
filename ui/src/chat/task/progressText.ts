import { levelName } from "@/format/load";
import type { Schema } from "@/api";
import { plural } from "@/format";
import { completionOf } from "@/liveTask/progress";
import type { LiveTask } from "@/liveTask/reduce";

/** How far a task is, in a line. Pure. */
export function progressText(live: LiveTask, state: Schema<"TaskState">, planned: number | null): string {
  const { done, failed } = completionOf(live, planned, 0);
  const counted =
    planned !== null && state !== "completed"
      ? `${done} of at most ${plural(planned, "experiment")}`
      : plural(done, "experiment");
  return [counted, failed > 0 ? `${failed} failed` : "", ...(state === "running" ? currentText(live) : [])]
    .filter(Boolean)
    .join(" · ");
}

function currentText({ experiments, now }: LiveTask): string[] {
  const running = experiments.find((one) => one.state === "running");
  if (!running) return ["choosing the next one"];
  const { phase, scenario, concurrency, rate = null } = now ?? {};
  const level = scenario ? levelName({ scenario, concurrency: concurrency ?? 0, rate }) : "";
  return [`experiment ${running.number}`, level ? `${phase} ${level}` : (phase ?? "")];
}
