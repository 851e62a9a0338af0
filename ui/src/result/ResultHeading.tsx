import { ChevronRight } from "lucide-react";
import { Link } from "react-router";
import { Duration, StateBadge, Time } from "@/kit";
import type { Result } from "./types";

/** Heading of the result page, with a link to the task. */
export function ResultHeading({ result }: { result: Result }) {
  return (
    <div className="min-w-0">
      <div className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1">
        <h1 className="flex min-w-0 items-center gap-1 text-xl font-semibold tracking-tight">
          <Link to={`/tasks/${result.task_id}`} className="min-w-0 truncate hover:underline">
            {result.task_name}
          </Link>
          <ChevronRight className="size-4 shrink-0 text-faint" aria-hidden="true" />
          <span>Result</span>
        </h1>
        <StateBadge state={result.state} />
      </div>
      <p className="truncate text-sm text-muted">
        {result.spec.base_runtime} · {result.spec.model.id_or_path}
        {result.finished_at && (
          <>
            {" · ended "}
            <Time at={result.finished_at} />
          </>
        )}
        {result.started_at && (
          <>
            {" · took "}
            <Duration since={result.started_at} until={result.finished_at} />
          </>
        )}
      </p>
    </div>
  );
}
