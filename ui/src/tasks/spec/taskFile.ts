import { send } from "@/api";

/** A task as a task file: what was set, and nothing else. */
export async function taskFile(task: string): Promise<string> {
  return (await send(`/api/tasks/${encodeURIComponent(task)}/export?kind=task`)).text();
}
