import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, call, type Schema } from "@/api";
import type { Filter } from "./filter";

export type Entry = Schema<"AuditEntry">;

const PAGE = 500;

/** Filtered entries, newest first, in pages. */
export function audit({ action, tool, text, session }: Filter) {
  const search = text.trim();
  const wanted = {
    newest_first: true,
    limit: PAGE,
    ...(action ? { action } : {}),
    ...(tool ? { tool } : {}),
    ...(search ? { search } : {}),
    ...(session ? { session_id: session } : {}),
  };
  return infiniteQueryOptions({
    queryKey: ["audit", wanted],
    queryFn: ({ pageParam, signal }) =>
      call(api.GET("/api/agent/audit", { params: { query: { ...wanted, after: pageParam } }, signal })),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.length < PAGE ? undefined : page.at(-1)?.sequence),
    placeholderData: keepPreviousData,
  });
}

/** One entry by its sequence number, else null. */
export function entry(sequence: number) {
  const query = { after: Math.max(0, sequence - 1), limit: 1 };
  return queryOptions({
    queryKey: ["audit", sequence],
    queryFn: async ({ signal }) => {
      const [found] = await call(api.GET("/api/agent/audit", { params: { query }, signal }));
      return found?.sequence === sequence ? found : null;
    },
  });
}

/** Names of the tools in some entries, and the chosen one, sorted. */
export function toolsOf(entries: readonly Entry[], chosen: string): string[] {
  return [...new Set([...entries.flatMap(({ tool }) => tool ?? []), ...(chosen ? [chosen] : [])])].sort();
}
