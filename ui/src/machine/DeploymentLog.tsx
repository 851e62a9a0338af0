import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { api, call } from "@/api";
import { plural } from "@/format";
import { Code, Dialog, Empty, ErrorMessage, Input, Loading } from "@/kit";
import { OFTEN_MS } from "./refresh";
import type { Running } from "./types";

const LINES = 500;

/** The end of what it said, or the lines with a text. The task's own page follows it live. */
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
      <div className="space-y-2">
        <Input
          type="search"
          aria-label="Search the log"
          placeholder="Search, or /expression/"
          before={<Search />}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {log.isError ? (
          <ErrorMessage error={log.error} compact onRetry={() => void log.refetch()} />
        ) : !log.data ? (
          <Loading height="24rem" label="The log" />
        ) : log.data.lines.length === 0 ? (
          <Empty title={search ? "No line has this text" : "It has said nothing yet"} />
        ) : (
          <>
            <Code title="The end of the log" text={log.data.lines.join("\n")} maxHeight="55dvh" />
            <p className="num text-xs text-muted">
              {log.data.matches === null
                ? plural(log.data.lines.length, "line")
                : `${plural(log.data.matches, "line")} in all`}
              {log.data.truncated && ", earlier ones left out"}
            </p>
          </>
        )}
      </div>
    </Dialog>
  );
}
