import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, call } from "./client";
import type { paths } from "./schema";

type Query<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } } ? Q : never;

/**
 * Query options by name: `useQuery(queries.task(id))`, `client.invalidateQueries({ queryKey: ["tasks"] })`. Keys start
 * with their subject, so that all queries of a subject can be invalidated at once.
 */
export const queries = {
  info: () => queryOptions({ queryKey: ["info"], queryFn: () => call(api.GET("/api/system/info")) }),
  agent: () => queryOptions({ queryKey: ["agent"], queryFn: () => call(api.GET("/api/agent/info")) }),
  catalog: () =>
    queryOptions({
      queryKey: ["catalog"],
      queryFn: () => call(api.GET("/api/catalog")),
      staleTime: Infinity,
    }),

  tasks: (query: Query<"/api/tasks"> = {}) =>
    queryOptions({
      queryKey: ["tasks", "list", query],
      queryFn: ({ signal }) => call(api.GET("/api/tasks", { params: { query }, signal })),
      placeholderData: keepPreviousData,
    }),
  task: (task: string) =>
    queryOptions({
      queryKey: ["tasks", task],
      queryFn: ({ signal }) => call(api.GET("/api/tasks/{task}", { params: { path: { task } }, signal })),
    }),
  experiments: (task: string, query: Query<"/api/tasks/{task}/experiments"> = {}) =>
    queryOptions({
      queryKey: ["tasks", task, "experiments", query],
      queryFn: ({ signal }) =>
        call(api.GET("/api/tasks/{task}/experiments", { params: { path: { task }, query }, signal })),
    }),
  experiment: (task: string, number: number) =>
    queryOptions({
      queryKey: ["tasks", task, "experiments", number],
      queryFn: ({ signal }) =>
        call(
          api.GET("/api/tasks/{task}/experiments/{number}", { params: { path: { task, number } }, signal }),
        ),
    }),
  result: (task: string) =>
    queryOptions({
      queryKey: ["tasks", task, "result"],
      queryFn: ({ signal }) =>
        call(api.GET("/api/tasks/{task}/result", { params: { path: { task } }, signal })),
    }),

  presets: () => queryOptions({ queryKey: ["presets"], queryFn: () => call(api.GET("/api/presets")) }),
  preset: (name: string) =>
    queryOptions({
      queryKey: ["presets", name],
      queryFn: () => call(api.GET("/api/presets/{name}", { params: { path: { name } } })),
    }),

  engines: () => queryOptions({ queryKey: ["engines"], queryFn: () => call(api.GET("/api/engines")) }),
  flags: (engine: string) =>
    queryOptions({
      queryKey: ["engines", engine, "flags"],
      queryFn: () => call(api.GET("/api/engines/{engine}/flags", { params: { path: { engine } } })),
      staleTime: Infinity,
    }),
  hardware: () => queryOptions({ queryKey: ["hardware"], queryFn: () => call(api.GET("/api/hardware")) }),
  workers: () => queryOptions({ queryKey: ["workers"], queryFn: () => call(api.GET("/api/workers")) }),
  deployments: () =>
    queryOptions({ queryKey: ["deployments"], queryFn: () => call(api.GET("/api/deployments")) }),

  sessions: (query: Query<"/api/agent/sessions"> = {}) =>
    queryOptions({
      queryKey: ["sessions", "list", query],
      queryFn: ({ signal }) => call(api.GET("/api/agent/sessions", { params: { query }, signal })),
      placeholderData: keepPreviousData,
    }),
  session: (session_id: string) =>
    queryOptions({
      queryKey: ["sessions", session_id],
      queryFn: () => call(api.GET("/api/agent/sessions/{session_id}", { params: { path: { session_id } } })),
    }),
  grants: (session_id: string) =>
    queryOptions({
      queryKey: ["sessions", session_id, "grants"],
      queryFn: () =>
        call(api.GET("/api/agent/sessions/{session_id}/grants", { params: { path: { session_id } } })),
    }),
  approvals: (query: Query<"/api/agent/approvals"> = {}) =>
    queryOptions({
      queryKey: ["approvals", query],
      queryFn: ({ signal }) => call(api.GET("/api/agent/approvals", { params: { query }, signal })),
    }),
  policy: () => queryOptions({ queryKey: ["policy"], queryFn: () => call(api.GET("/api/agent/policy")) }),
  audit: (query: Query<"/api/agent/audit"> = {}) =>
    queryOptions({
      queryKey: ["audit", query],
      queryFn: ({ signal }) => call(api.GET("/api/agent/audit", { params: { query }, signal })),
    }),
};
