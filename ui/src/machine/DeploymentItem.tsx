import { useQueryClient } from "@tanstack/react-query";
import { ScrollText, Square } from "lucide-react";
import { Link } from "react-router";
import { api, call } from "@/api";
import { gib, number } from "@/format";
import { Badge, Button, Confirm, CopyButton, Duration } from "@/kit";
import type { Running } from "./types";

/** A running engine or load generator: task, resources, log and stop button. */
export function DeploymentItem({ running, onRead }: { running: Running; onRead: () => void }) {
  const client = useQueryClient();
  const { id, kind, task_id, task_name, experiment } = running;
  const stop = async () => {
    await call(api.DELETE("/api/deployments/{id}", { params: { path: { id } } }));
    await client.invalidateQueries({ queryKey: ["deployments"] });
  };
  const engine = kind === "engine";
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3 text-sm">
      <div className="min-w-0 flex-1 basis-72">
        <div className="flex min-w-0 flex-wrap items-center gap-2">
          <Badge intent={engine ? "accent" : "neutral"}>{engine ? "Engine" : "Load generator"}</Badge>
          <Link to={`/tasks/${task_id}`} className="min-w-0 truncate font-medium hover:underline">
            {task_name || task_id}
          </Link>
          {experiment !== null && <span className="num text-muted">experiment {experiment}</span>}
        </div>
        <p className="mt-1 truncate font-mono text-xs text-muted" title={running.argv.join(" ")}>
          {running.argv.join(" ")}
        </p>
      </div>
      <dl className="num grid grid-flow-col gap-x-5 text-right [&_dd]:font-medium [&_dt]:text-xs [&_dt]:text-muted">
        <Figure name="CPU" value={`${number(running.cpu_percent)} %`} />
        <Figure name="Memory" value={gib(running.memory_gib)} />
        {running.gpus.length > 0 && <Figure name="GPUs" value={String(running.gpus.length)} />}
        <div>
          <dt>Runs for</dt>
          <dd>
            <Duration since={running.started_at} />
          </dd>
        </div>
        <Figure name="Process" value={String(running.pid)} />
      </dl>
      <div className="flex items-center gap-1.5">
        {running.url && <CopyButton text={running.url} label="Copy its address" />}
        <Button size="sm" icon={<ScrollText className="size-3.5" />} onClick={onRead}>
          Log
        </Button>
        <Confirm
          trigger={
            <Button size="sm" icon={<Square className="size-3.5" />}>
              Stop
            </Button>
          }
          title={engine ? "Stop this engine?" : "Stop this load generator?"}
          detail="It ends with all it started. Its task goes on: a running experiment is tried again."
          action="Stop it"
          danger
          onConfirm={stop}
        />
      </div>
    </li>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
