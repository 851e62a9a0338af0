import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { api, call } from "@/api";
import { Dialog, LogExcerpt } from "@/kit";
import { OFTEN_MS } from "./refresh";
import type { Running } from "./types";

const LINES = 500;

/** Log of a running deployment, polled. The task page streams it. */
export function DeploymentLog({ running, onClose }: { running: Running; onClose: () => void }) {
  const [text, setText] = useState("");
  const search = useDeferredValue(text.trim());
  const query = { lines: LINES, ...(search ? { search } : {}) };
  const log = useQuery({
    queryKey: ["deployments", running.id, "logs", query],
    queryFn: ({ signal }) =>
      call(api.GET("/api/deployments/{id}/logs", { params: { path: { id: running.id }, query }, signal })),
    placeholderData: (before) => before,
    refetchInterval: (asked) => (asked.state.status === "error" ? false : OFTEN_MS),
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      size="xl"
      title={`Log of ${running.task_name || running.task_id}`}
      detail={`Process ${running.pid}`}
    >
      <LogExcerpt log={log} text={text} onSearch={setText} />
    </Dialog>
  );
}
