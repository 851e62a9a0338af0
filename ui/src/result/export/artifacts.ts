import { queryOptions } from "@tanstack/react-query";
import { api, type Catalog, call, type Schema, send } from "@/api";
import type { Result } from "../types";

export type Artifact = Schema<"ArtifactInfo">;

/** Title and description from the catalog, else by name; or why it is missing. */
export function wordsOf(
  { name, type, missing }: Artifact,
  catalog: Catalog | undefined,
): { label: string; detail: string } {
  const known = catalog ? [...catalog.artifacts, ...catalog.report_formats] : [];
  const entry = known.find((one) => one.name === name && one.media_type === type);
  const label = entry?.title ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
  return { label, detail: missing ?? entry?.description ?? "" };
}

/** Whether it is a text worth copying. */
export const isText = ({ type }: Artifact): boolean =>
  /^text\/(?!html)|^application\/(json|yaml)\b/.test(type);

/** Every export of a task, as the service lists them. */
export function artifacts(result: Result) {
  return queryOptions({
    queryKey: ["tasks", result.task_id, "artifacts", result.winner, result.state],
    queryFn: ({ signal }) =>
      call(api.GET("/api/tasks/{task}/artifacts", { params: { path: { task: result.task_id } }, signal })),
  });
}

/** The command that serves the winner. */
export function command(result: Result) {
  return queryOptions({
    queryKey: ["tasks", result.task_id, "command", result.winner],
    queryFn: async ({ signal }) =>
      (await send(`/api/tasks/${result.task_id}/export?kind=command`, { signal })).text(),
  });
}
