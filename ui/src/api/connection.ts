import { createStore } from "@/state/store";

/** `locked`: not logged in (401). `lost`: the service does not answer. */
export type Connection = "online" | "lost" | "locked";

export const connection = createStore<Connection>("online");

/** Called with the status of every answer. */
export function reportStatus(status: number): void {
  connection.set(status === 401 ? "locked" : "online");
}

const FIRST_MS = 500;
const LONGEST_MS = 10_000;
let asking = false;

/** Called when a request failed to connect. Polls with backoff until the service answers. */
export function reportUnreachable(): void {
  if (connection.get() !== "locked") connection.set("lost");
  if (asking) return;
  asking = true;
  void retryAfter(FIRST_MS);
}

async function retryAfter(wait: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, wait));
  if (connection.get() !== "lost") {
    asking = false;
    return;
  }
  try {
    // Not /health: this also finds out whether the login is still valid.
    const answer = await fetch("/api/system/info");
    asking = false;
    reportStatus(answer.status);
  } catch {
    void retryAfter(Math.min(LONGEST_MS, wait * 2));
  }
}

/** Resolves when the service answers (again). */
export function whenOnline(): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (connection.get() === "lost") return;
      leave();
      resolve();
    };
    const leave = connection.subscribe(look);
    look();
  });
}
