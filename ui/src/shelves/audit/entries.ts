import { queryOptions } from "@tanstack/react-query";
import { api, call, type Schema } from "@/api";

export type Entry = Schema<"AuditEntry">;

const PAGE = 1000;

/** The whole log, page after page: the service gives it from its beginning. */
export async function allEntries(signal?: AbortSignal, session_id?: string): Promise<Entry[]> {
  const found: Entry[] = [];
  for (;;) {
    const query = { after: found.at(-1)?.sequence ?? 0, limit: PAGE, ...(session_id ? { session_id } : {}) };
    const page = await call(api.GET("/api/agent/audit", { params: { query }, signal }));
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}

export function audit(session_id?: string) {
  return queryOptions({
    queryKey: ["audit", session_id ?? null],
    queryFn: ({ signal }) => allEntries(signal, session_id),
  });
}
