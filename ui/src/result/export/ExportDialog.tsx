import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { useCatalog } from "@/api";
import { Button, Dialog, ErrorMessage, Loading } from "@/kit";
import type { Result } from "../types";
import { ArtifactItem } from "./ArtifactItem";
import { artifacts } from "./artifacts";

/** Dialog of a task's exports. */
export function ExportDialog({ result }: { result: Result }) {
  const [open, setOpen] = useState(false);
  const catalog = useCatalog();
  const offered = useQuery({ ...artifacts(result), enabled: open });
  return (
    <Dialog
      open={open}
      onOpenChange={setOpen}
      title="Export"
      detail={`Of the task “${result.task_name}”.${result.simulated ? " It was measured on the simulated engine." : ""}`}
      trigger={<Button icon={<Download className="size-4" />}>Export</Button>}
    >
      {offered.isError ? (
        <ErrorMessage error={offered.error} compact onRetry={() => void offered.refetch()} />
      ) : !offered.data ? (
        <Loading label="What can be exported" height="26rem" />
      ) : (
        <ul className="divide-y divide-line">
          {offered.data.map((one) => (
            <ArtifactItem key={one.url} artifact={one} catalog={catalog} />
          ))}
        </ul>
      )}
    </Dialog>
  );
}
