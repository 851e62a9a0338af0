import { queryOptions } from "@tanstack/react-query";
import { send } from "@/api";
import type { paths } from "@/api/schema";
import type { Result } from "../types";

type Query<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } }
  ? NonNullable<Q>
  : never;
export type Kind = NonNullable<Query<"/api/tasks/{task}/export">["kind"]>;
export type Format = NonNullable<Query<"/api/tasks/{task}/report">["format"]>;

export type Artifact = {
  label: string;
  detail: string;
  path: (task: string) => string;
  /** Text that is worth copying. */
  copy: boolean;
  /** There is none before something has won. */
  needsWinner: boolean;
};

const artifact = (kind: Kind, label: string, detail: string, needsWinner: boolean): Artifact => ({
  label,
  detail,
  path: (task) => `/api/tasks/${task}/export?kind=${kind}`,
  copy: true,
  needsWinner,
});
const report = (format: Format, label: string, detail: string, copy = false): Artifact => ({
  label,
  detail,
  path: (task) => `/api/tasks/${task}/report?format=${format}`,
  copy,
  needsWinner: false,
});

/** What the service gives away, all of it: a kind that it learns must find its words here before this compiles. */
const ARTIFACTS: Record<Kind, Artifact> = {
  command: artifact("command", "Command", "The shell command that serves the best configuration", true),
  compose: artifact("compose", "Compose file", "For docker compose up: image, model, GPUs, flags", true),
  kubernetes: artifact(
    "kubernetes",
    "Kubernetes manifest",
    "A Deployment with its Service, for kubectl apply",
    true,
  ),
  task: artifact("task", "Task file", "To run this task again, or to change it", false),
};
const REPORTS: Record<Format, Artifact> = {
  html: report("html", "HTML report", "One file with its pictures, to send to others"),
  xlsx: report("xlsx", "Excel workbook", "Every experiment and every load level"),
  csv: report("csv", "CSV", "A line for each experiment and load level", true),
  json: report("json", "JSON", "The whole result, for programs", true),
  table: report("table", "Text table", "As the terminal shows it", true),
};

export const ALL: readonly Artifact[] = [...Object.values(ARTIFACTS), ...Object.values(REPORTS)];

/** A text that the service makes of a result, anew when the result is another. */
export function exported(result: Result, kind: Kind) {
  return queryOptions({
    queryKey: ["tasks", result.task_id, "export", kind, result.winner],
    queryFn: async ({ signal }) => (await send(ARTIFACTS[kind].path(result.task_id), { signal })).text(),
  });
}
