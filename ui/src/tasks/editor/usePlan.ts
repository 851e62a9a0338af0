import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { type Schema, send } from "@/api";
import { useDebounced } from "@/kit";

const DEBOUNCE_MS = 350;

/** The plan of a task or its problems, with the text that they are of. */
export const planOf = (text: string) =>
  queryOptions({
    queryKey: ["plan", text],
    queryFn: async ({ signal }) => {
      const headers = { "Content-Type": "application/yaml" };
      const answer = await send("/api/tasks/plan", { method: "POST", body: text, headers, signal });
      return { text, ...((await answer.json()) as Schema<"PlanAnswer">) };
    },
    placeholderData: keepPreviousData,
  });

/** The plan of a changing text, debounced. `stale`: of an earlier text. */
export function usePlan(text: string) {
  const debounced = useDebounced(text, DEBOUNCE_MS);
  const plan = useQuery(planOf(debounced));
  return { ...plan, stale: debounced !== text || plan.isPlaceholderData || plan.isPending };
}
