import { send } from "@/api";

export const taskFileUrl = (task: string) => `/api/tasks/${encodeURIComponent(task)}/export?kind=task`;

/** A task as a task file: what was set, and nothing else. */
export const taskFile = async (task: string): Promise<string> => (await send(taskFileUrl(task))).text();
