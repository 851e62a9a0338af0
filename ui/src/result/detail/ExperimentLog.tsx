import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { api, call } from "@/api";
import { plural } from "@/format";
import { Code, Empty, ErrorMessage, Input, Loading, Select } from "@/kit";

const LINES = 400;
const SOURCES = [
  { value: "engine", label: "Engine" },
  { value: "benchmark", label: "Load generator" },
] as const;

/** The end of an experiment's log, or the lines with a text. */
export function ExperimentLog({ task, number }: { task: string; number: number }) {
  const [text, setText] = useState("");
  const [source, setSource] = useState<"engine" | "benchmark">("engine");
  const search = useDeferredValue(text.trim());
  const query = {
    lines: LINES,
    benchmark: source === "benchmark",
    ...(source === "engine" ? { experiment: number } : {}),
    ...(search ? { search } : {}),
  };
  const log = useQuery({
    queryKey: ["tasks", task, "logs", query],
    queryFn: ({ signal }) =>
      call(api.GET("/api/tasks/{task}/logs", { params: { path: { task }, query }, signal })),
    placeholderData: (before) => before,
  });
  return (
    <div className="space-y-2">
      <div className="flex gap-2">
        <Input
          type="search"
          aria-label="Search the log"
          placeholder="Search, or /expression/"
          before={<Search />}
          value={text}
          onChange={(event) => setText(event.target.value)}
          className="flex-1"
        />
        <Select
          aria-label="Whose log"
          value={source}
          onChange={setSource}
          options={SOURCES}
          className="w-40"
        />
      </div>
      {log.isPending ? (
        <Loading label="The log" height="18rem" />
      ) : log.isError ? (
        <ErrorMessage error={log.error} compact onRetry={() => void log.refetch()} />
      ) : log.data.lines.length === 0 ? (
        <Empty title={search ? "No line has this text" : "The log is empty"} />
      ) : (
        <>
          <Code
            text={log.data.lines.join("\n")}
            title={search ? `Lines with “${search}”` : "The end of the log"}
            maxHeight="24rem"
          />
          <p className="text-xs text-muted">
            {log.data.matches !== null
              ? `${plural(log.data.matches, "line")} in all`
              : log.data.truncated
                ? `The last ${plural(log.data.lines.length, "line")}; search to find earlier ones.`
                : plural(log.data.lines.length, "line")}
          </p>
        </>
      )}
    </div>
  );
}
