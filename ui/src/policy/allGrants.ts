import { queryOptions } from "@tanstack/react-query";
import { api, ApiError, call, type Schema } from "@/api";

export type Grant = Schema<"Grant">;
export type GrantState = "holds" | "expired" | "revoked";

/** The newest grants; older ones have expired. */
const NEWEST = 1000;

/** All grants, of the conversations that the audit log names. Deleted conversations have none. */
export function allGrants() {
  return queryOptions({
    queryKey: ["grants"],
    queryFn: async () => {
      const query = { action: "granted", newest_first: true, limit: NEWEST } as const;
      const granted = await call(api.GET("/api/agent/audit", { params: { query } }));
      const sessions = new Set(granted.flatMap(({ session_id }) => session_id ?? []));
      const lists = await Promise.all([...sessions].map(ofSession));
      return lists.flat().sort((a, b) => b.created_at.localeCompare(a.created_at));
    },
  });
}

async function ofSession(session_id: string): Promise<Grant[]> {
  try {
    return await call(
      api.GET("/api/agent/sessions/{session_id}/grants", { params: { path: { session_id } } }),
    );
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

export function grantState(grant: Grant, now: number): GrantState {
  if (grant.revoked_at !== null) return "revoked";
  return Date.parse(grant.expires_at) <= now ? "expired" : "holds";
}
