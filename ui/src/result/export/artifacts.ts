import { queryOptions } from "@tanstack/react-query";
import { api, call, type Schema, send } from "@/api";
import type { Result } from "../types";

export type Artifact = Schema<"ArtifactInfo">;

/** What the service's names mean; one that it learns is offered under its name until it has words here. */
const WORDS: Record<string, { label: string; detail: string }> = {
  command: { label: "Command", detail: "The shell command that serves the best configuration" },
  compose: { label: "Compose file", detail: "For docker compose up: image, model, GPUs, flags" },
  kubernetes: { label: "Kubernetes manifest", detail: "A Deployment with its Service, for kubectl apply" },
  task: { label: "Task file", detail: "To run this task again, or to change it" },
  html: { label: "HTML report", detail: "One file with its pictures, to send to others" },
  xlsx: { label: "Excel workbook", detail: "Every experiment and every load level" },
  csv: { label: "CSV", detail: "A line for each experiment and load level" },
  json: { label: "JSON", detail: "The whole result, for programs" },
  table: { label: "Text table", detail: "As the terminal shows it" },
};

/** A name, and what it is; where there is none, why. */
export function wordsOf({ name, missing }: Artifact): { label: string; detail: string } {
  const { label, detail } = WORDS[name] ?? {
    label: name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " "),
    detail: "",
  };
  return { label, detail: missing ?? detail };
}

/** Text that is worth copying: documents are for other programs. */
export const isText = ({ type }: Artifact): boolean =>
  /^text\/(?!html)|^application\/(json|yaml)\b/.test(type);

/** All that can be taken away from a task, as the service lists it. */
export function artifacts(result: Result) {
  return queryOptions({
    queryKey: ["tasks", result.task_id, "artifacts", result.winner, result.state],
    queryFn: ({ signal }) =>
      call(api.GET("/api/tasks/{task}/artifacts", { params: { path: { task: result.task_id } }, signal })),
  });
}

/** The command that serves what has won, anew when something else has. */
export function command(result: Result) {
  return queryOptions({
    queryKey: ["tasks", result.task_id, "command", result.winner],
    queryFn: async ({ signal }) =>
      (await send(`/api/tasks/${result.task_id}/export?kind=command`, { signal })).text(),
  });
}
