import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { api, call } from "@/api";
import { LogExcerpt, Select } from "@/kit";

const LINES = 400;
const SOURCES = [
  { value: "engine", label: "Engine" },
  { value: "benchmark", label: "Load generator" },
] as const;

/** The log of an experiment's engine, or of its load generator. */
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
  const which = (
    <Select aria-label="Whose log" value={source} onChange={setSource} options={SOURCES} className="w-40" />
  );
  return <LogExcerpt log={log} text={text} onSearch={setText} controls={which} />;
}
