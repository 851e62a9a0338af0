import { send } from "@/api";

/** Where a task's file is. */
export const taskFileUrl = (task: string): string =>
  `/api/tasks/${encodeURIComponent(task)}/export?kind=task`;

/** A task as a task file: what was set, and nothing else. */
export async function taskFile(task: string): Promise<string> {
  return (await send(taskFileUrl(task))).text();
}
