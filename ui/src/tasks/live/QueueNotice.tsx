import { useQuery } from "@tanstack/react-query";
import { Clock, TriangleAlert } from "lucide-react";
import { queries } from "@/api";

/** Why a queued task does not run yet. */
export function QueueNotice() {
  const workers = useQuery(queries.workers());
  if (!workers.data) return null;
  const living = workers.data.filter((one) => one.alive !== false);
  const busy = living.filter((one) => one.task_id !== null).length;
  const none = living.length === 0;
  const Icon = none ? TriangleAlert : Clock;
  return (
    <p
      className={`flex items-start gap-2 rounded-lg border border-line px-4 py-3 text-sm ${none ? "bg-warn-soft" : "bg-surface"}`}
    >
      <Icon className={`mt-0.5 size-4 shrink-0 ${none ? "text-warn" : "text-info"}`} aria-hidden="true" />
      {none ? (
        <span>
          No worker runs, so nothing takes this task. Start one:{" "}
          <code className="font-mono text-xs">autotuner worker</code>
        </span>
      ) : busy === living.length ? (
        "Every worker is busy with another task; this one is next as soon as one is free."
      ) : (
        "A worker takes it in a moment."
      )}
    </p>
  );
}
