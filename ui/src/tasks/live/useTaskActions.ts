import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { api, call } from "@/api";

export type Verb = "start" | "cancel" | "resume" | "restart" | "delete";

/** Runs an action on a task and refetches tasks. */
export function useTaskActions(task: string): (verb: Verb) => Promise<void> {
  const client = useQueryClient();
  const go = useNavigate();
  const params = { params: { path: { task } } };
  const work = useMutation({
    mutationFn: async (verb: Verb) => {
      switch (verb) {
        case "start":
          return void (await call(api.POST("/api/tasks/{task}/start", params)));
        case "cancel":
          return void (await call(api.POST("/api/tasks/{task}/cancel", params)));
        case "resume":
          return void (await call(api.POST("/api/tasks/{task}/resume", params)));
        case "restart":
          return void go(`/tasks/${(await call(api.POST("/api/tasks/{task}/restart", params))).id}`);
        case "delete":
          await api.DELETE("/api/tasks/{task}", params);
          void go("/tasks");
      }
    },
    onSettled: (_, __, verb) => {
      // A deleted task is not refetched.
      const gone = (key: readonly unknown[]) => verb === "delete" && key[1] === task;
      return client.invalidateQueries({
        predicate: ({ queryKey }) => queryKey[0] === "tasks" && !gone(queryKey),
      });
    },
  });
  return work.mutateAsync;
}
