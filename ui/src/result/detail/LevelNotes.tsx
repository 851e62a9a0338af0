import { latency, percent } from "@/format";
import { metricName } from "@/format/metrics";
import type { LoadPoint, Metric } from "../types";

/** What is known of the load levels of an experiment beside their metrics. */
export function LevelNotes({ points }: { points: LoadPoint[] }) {
  const told = points.filter((point) => !point.failure && (notesOf(point).length > 0 || besides(point)));
  if (told.length === 0) return null;
  return (
    <section className="mt-4 text-sm" aria-label="To know of these numbers">
      <h3 className="mb-1 font-medium">To know of these numbers</h3>
      <dl className="space-y-2">
        {told.map((point) => (
          <div key={`${point.scenario} ${point.concurrency}`}>
            <dt className="text-xs text-muted">
              {point.scenario} × {point.concurrency}
            </dt>
            {notesOf(point).map((note) => (
              <dd key={note}>{note}</dd>
            ))}
            {besides(point) && <dd className="text-muted">{besides(point)}</dd>}
          </div>
        ))}
      </dl>
    </section>
  );
}

function notesOf(point: LoadPoint): string[] {
  const missing = Object.entries(point.missing).map(
    ([metric, why]) => `${metricName(metric as Metric)}: ${why}`,
  );
  return [...point.notes, ...missing];
}

function besides(point: LoadPoint): string {
  const { cold, generator } = point;
  const first = cold?.ttft
    ? `First ${cold.requests} requests, not measured: TTFT ${latency(cold.ttft.mean)} (p90 ${latency(cold.ttft.p90)}).`
    : "";
  const load = generator ? `Load generator ${generator.name}: ${percent(generator.busy)} busy.` : "";
  return [first, load].filter(Boolean).join(" ");
}
