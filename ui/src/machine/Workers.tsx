import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { queries, type Schema } from "@/api";
import { Badge, Card, Empty, ErrorMessage, Loading, Time, type Intent } from "@/kit";
import { SELDOM_MS } from "./refresh";

type Worker = Schema<"WorkerInfo">;

/** Worker processes, and those that hold a task and may be dead. */
export function Workers() {
  const workers = useQuery({ ...queries.workers(), refetchInterval: SELDOM_MS });
  if (workers.isError) return <ErrorMessage error={workers.error} onRetry={() => void workers.refetch()} />;
  if (!workers.data) return <Loading height="15rem" label="Workers" />;
  return (
    <Card title="Workers" padded={false}>
      {workers.data.length === 0 ? (
        <Empty title="No worker is there">
          Tasks wait until one is: <code className="font-mono text-xs">autotuner serve</code> brings its own,
          and <code className="font-mono text-xs">autotuner worker</code> runs one more.
        </Empty>
      ) : (
        <ul className="divide-y divide-line">
          {workers.data.map((worker) => (
            <Item key={`${worker.host} ${worker.pid}`} worker={worker} />
          ))}
        </ul>
      )}
    </Card>
  );
}

const LIVES: Record<"yes" | "no" | "far", { intent: Intent; text: string }> = {
  yes: { intent: "ok", text: "Alive" },
  no: { intent: "bad", text: "Dead" },
  far: { intent: "neutral", text: "On another machine" },
};

function Item({ worker }: { worker: Worker }) {
  const { intent, text } = LIVES[worker.alive === null ? "far" : worker.alive ? "yes" : "no"];
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-sm">
      <Badge intent={intent}>{text}</Badge>
      <span className="min-w-0 truncate font-medium">{worker.host}</span>
      <span className="num text-xs text-muted">process {worker.pid}</span>
      <span className="ml-auto text-muted">
        {worker.task_id ? (
          <>
            runs{" "}
            <Link
              to={`/tasks/${worker.task_id}`}
              className="font-mono text-xs text-accent-text underline underline-offset-2"
            >
              {worker.task_id}
            </Link>
          </>
        ) : (
          "waits for a task"
        )}
      </span>
      {worker.seen_at && (
        <span className="w-full text-xs text-muted">
          Last heard of <Time at={worker.seen_at} />
          {worker.started_at && (
            <>
              , started <Time at={worker.started_at} />
            </>
          )}
        </span>
      )}
    </li>
  );
}
