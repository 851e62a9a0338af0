import { queryOptions } from "@tanstack/react-query";
import { api, ApiError, call, type Schema } from "@/api";
import { allEntries } from "../audit/entries";

export type Grant = Schema<"Grant">;
export type Standing = "holds" | "expired" | "revoked";

/** Every grant there is. The audit log knows the conversations that have any; deleted ones have none any more. */
export function grantsOfAll() {
  return queryOptions({
    queryKey: ["grants"],
    queryFn: async () => {
      const sessions = new Set(
        (await allEntries()).filter((one) => one.action === "granted").map((one) => one.session_id),
      );
      const lists = await Promise.all([...sessions].flatMap((id) => (id === null ? [] : [ofSession(id)])));
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

export function standing(grant: Grant, now: number): Standing {
  if (grant.revoked_at !== null) return "revoked";
  return Date.parse(grant.expires_at) <= now ? "expired" : "holds";
}
