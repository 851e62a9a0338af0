import { count, plural } from "@/format";
import { Progress } from "@/kit";
import type { Row } from "./rows";

/** Progress bar of a running task, else its number of experiments. */
export function RowProgress({ row }: { row: Row }) {
  const { failed, total = null } = row;
  const done = row.completed + failed;
  if (row.state !== "running" || total === null) {
    if (done === 0) return <span className="text-faint">–</span>;
    return (
      <span className="num">
        {plural(done, "experiment")}
        {failed > 0 && <span className="text-bad">, {count(failed)} failed</span>}
      </span>
    );
  }
  return (
    <span className="flex items-center gap-2">
      <Progress
        label={`Progress of ${row.name}`}
        done={done}
        total={total}
        text={`${done} of about ${total} experiments`}
        className="min-w-16 flex-1"
      />
      <span className="num w-16 text-right text-xs text-muted">
        {count(done)} of {count(total)}
      </span>
    </span>
  );
}
