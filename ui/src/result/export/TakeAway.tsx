import { useMutation } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { send } from "@/api";
import { Button, CopyButton, Dialog, Failure } from "@/kit";
import type { Result } from "../types";
import { ALL, type Artifact } from "./artifacts";
import { saveFile } from "./saveFile";

/** What can be taken from here: each to download, texts to copy as well. */
export function TakeAway({ result }: { result: Result }) {
  const offered = ALL.filter((one) => !one.needsWinner || result.winner !== null);
  return (
    <Dialog
      title="Take away"
      detail={`Of the task “${result.task_name}”.${result.simulated ? " It was measured on the simulated engine." : ""}`}
      trigger={<Button icon={<Download className="size-4" />}>Export</Button>}
    >
      <ul className="divide-y divide-line">
        {offered.map((one) => (
          <Item key={one.label} artifact={one} path={one.path(result.task_id)} />
        ))}
      </ul>
    </Dialog>
  );
}

function Item({ artifact, path }: { artifact: Artifact; path: string }) {
  const saving = useMutation({ mutationFn: () => saveFile(path) });
  return (
    <li className="py-2.5">
      <div className="flex items-center gap-2">
        <div className="min-w-0 flex-1">
          <div className="text-sm font-medium">{artifact.label}</div>
          <div className="text-xs text-muted">{artifact.detail}</div>
        </div>
        {artifact.copy && (
          <CopyButton
            label={`Copy ${artifact.label}`}
            text={async () => (await send(path)).text()}
            size="md"
          />
        )}
        <Button
          aria-label={`Download ${artifact.label}`}
          icon={<Download className="size-4" />}
          pending={saving.isPending}
          onClick={() => saving.mutate()}
        >
          <span className="max-sm:hidden">Download</span>
        </Button>
      </div>
      {saving.isError && <Failure error={saving.error} compact className="mt-2" />}
    </li>
  );
}
