import { createStore } from "@/state/store";

/** `locked`: this browser is not let in (any more). `lost`: the service does not answer. */
export type Connection = "online" | "lost" | "locked";

export const connection = createStore<Connection>("online");

/** Told by whoever has just asked the service something: requests and streams. */
export function reportStatus(status: number): void {
  connection.set(status === 401 ? "locked" : "online");
}

const FIRST_MS = 500;
const LONGEST_MS = 10_000;
let asking = false;

/** The service did not answer. Asks until it does; nothing is asked while it answers. */
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
    // What the page itself needs: health alone would say nothing of a login that has ended with the old service.
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
