import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api, call, queries, type Schema } from "@/api";
import { isOutdated, merged, type Row } from "./rows";

const PAGE = 1000;
const AGAIN_MS = 3_000;
const NONE: readonly Row[] = [];

/** All tasks, so that sorting and searching work in the page. */
async function everything(signal: AbortSignal): Promise<readonly Row[]> {
  const page = (offset: number): Promise<Schema<"TaskPage">> =>
    call(api.GET("/api/tasks", { params: { query: { limit: PAGE, offset } }, signal }));
  const first = await page(0);
  const offsets = Array.from({ length: Math.ceil(first.total / PAGE) - 1 }, (_, at) => (at + 1) * PAGE);
  const rest = await Promise.all(offsets.map(page));
  // A task added meanwhile shifts the pages by one.
  const byId = new Map([first, ...rest].flatMap((one) => one.items).map((row) => [row.id, row]));
  return [...byId.values()];
}

/** All tasks, newest first. There is no stream of them: queued and running ones are polled. */
export function useTasks() {
  const list = useQuery({ queryKey: ["tasks", "all"], queryFn: ({ signal }) => everything(signal) });
  const running = useQuery({ ...queries.tasks({ state: "running", limit: 100 }), refetchInterval: AGAIN_MS });
  const queued = useQuery({ ...queries.tasks({ state: "queued", limit: 100 }), refetchInterval: AGAIN_MS });
  const all = list.data ?? NONE;
  const active = useMemo(
    () => [...(running.data?.items ?? NONE), ...(queued.data?.items ?? NONE)],
    [running.data, queued.data],
  );
  const { refetch, isFetching, isSuccess } = list;
  const outdated = isSuccess && running.isSuccess && queued.isSuccess && isOutdated(all, active);
  useEffect(() => {
    if (outdated && !isFetching) void refetch();
  }, [outdated, isFetching, refetch, active]);
  const rows = useMemo(() => merged(all, active), [all, active]);
  return { rows, list };
}
