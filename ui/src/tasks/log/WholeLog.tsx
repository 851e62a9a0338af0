import { useQuery } from "@tanstack/react-query";
import { api, call } from "@/api";
import { count } from "@/format";
import { ErrorMessage, Loading } from "@/kit";
import { levelOf } from "./reduce";
import { LogView } from "./LogView";

type Props = { task: string; source: string; search: string };

const LINES = 1000;

/** Search by the service in the whole log: text or /regular expression/. */
export function WholeLog({ task, source, search }: Props) {
  const query = {
    search,
    lines: LINES,
    ...(source === "load" ? { benchmark: true } : {}),
    ...(/^\d+$/.test(source) ? { experiment: Number(source) } : {}),
  };
  const found = useQuery({
    queryKey: ["logs", task, query],
    queryFn: ({ signal }) =>
      call(api.GET("/api/tasks/{task}/logs", { params: { path: { task }, query }, signal })),
  });
  if (found.isError)
    return <ErrorMessage compact error={found.error} onRetry={() => void found.refetch()} className="m-3" />;
  if (!found.data) return <Loading label="The log" lines={6} className="flex-1 bg-sunken p-3" />;
  const { lines, matches } = found.data;
  return (
    <>
      <p role="status" className="border-b border-line px-3 py-1 text-xs text-muted">
        {count(matches ?? lines.length)} found
        {(matches ?? 0) > lines.length && `, the last ${count(lines.length)} here`}
      </p>
      <LogView
        label="Found in the log"
        lines={lines.map((text, id) => ({ id, text, level: levelOf(text) ?? "info" }))}
        follow={false}
        wrap
        search={search}
        onFollow={() => undefined}
      />
    </>
  );
}
