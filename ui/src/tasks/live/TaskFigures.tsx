import { useQuery } from "@tanstack/react-query";
import { queries, type Schema } from "@/api";
import { count, duration, percent } from "@/format";
import { quantity, shortName } from "@/format/metrics";
import { Duration, Progress, useNow } from "@/kit";
import { bestOf, completionOf } from "@/liveTask/progress";
import type { LiveTask } from "@/liveTask/reduce";
import { Figure } from "./Figure";

type Props = { task: Schema<"Task">; live: LiveTask; state: Schema<"TaskState">; planned: number | null };

/** Key figures of a task: progress, time, best value. */
export function TaskFigures({ task, live, state, planned }: Props) {
  const running = state === "running";
  const now = useNow(running);
  const { done, failed, total, leftS } = completionOf(live, planned, now);
  const [objective] = task.spec.optimization.objective;
  const best = objective ? bestOf(live.experiments, objective) : null;
  const all = state === "completed" ? done : total;
  // When completed, the service's verdict counts, which includes confirmations.
  const result = useQuery({ ...queries.result(task.id), enabled: state === "completed" });
  const verdict = state === "completed" ? result.data?.verdict : undefined;
  const gain = verdict?.outcome === "proven" && verdict.gains[0]?.shown ? verdict.gains[0] : null;
  const soFar = best?.gain == null ? null : percent(best.gain, { sign: true });
  return (
    <section aria-label="Progress" className="rounded-lg border border-line bg-surface">
      <Progress
        label="Experiments"
        done={all === null ? 0 : done}
        total={all ?? 1}
        intent={state === "failed" ? "bad" : state === "completed" ? "ok" : "accent"}
        text={all === null ? `${done} experiments` : `${done} of about ${all} experiments`}
        className="h-1 rounded-b-none"
      />
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 px-4 py-3 sm:grid-cols-3 lg:grid-cols-6">
        <Figure
          name="Experiments"
          detail={state === "completed" ? "in all" : all === null ? "" : `of about ${count(all)}`}
        >
          {count(done)}
        </Figure>
        <Figure name="Failed">
          <span className={failed > 0 ? "text-bad" : undefined}>{count(failed)}</span>
        </Figure>
        <Figure name="Time">
          {task.started_at ? <Duration since={task.started_at} until={task.finished_at} /> : "–"}
        </Figure>
        <Figure name="Time left" detail={running && done === 0 ? "after the first one" : ""}>
          {leftS === null
            ? "–"
            : leftS < 1
              ? "a moment"
              : `≈ ${duration(leftS < 60 ? Math.ceil(leftS) : Math.round(leftS / 60) * 60)}`}
        </Figure>
        <Figure
          name={state === "completed" ? "Best measured" : "Best so far"}
          detail={best && objective ? shortName(objective) : ""}
        >
          {best && objective ? quantity(objective.metric, best.value) : "–"}
        </Figure>
        <Figure
          name="Against defaults"
          detail={
            verdict
              ? verdict.headline
              : best && best.experiment.number > 0
                ? `experiment ${best.experiment.number}, measured once`
                : ""
          }
        >
          <span className={gain ? "text-ok" : undefined}>
            {gain?.gain != null
              ? percent(gain.gain, { sign: true })
              : state === "completed"
                ? "–"
                : (soFar ?? "–")}
          </span>
        </Figure>
      </dl>
    </section>
  );
}
