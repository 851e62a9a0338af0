import { reportStatus, reportUnreachable } from "./connection";
import { ApiError, problemOf, errorFromResponse } from "./problem";
import { EMPTY, parse, type Frame } from "./sse";

/** One event of a stream, its data read as JSON. */
export type StreamEvent<T = unknown> = { id: string | null; event: string; data: T };

/** `live`: connected. `ended`: complete, nothing follows. */
export type StreamState = "connecting" | "live" | "lost" | "ended" | "failed";

export type Following<T> = {
  /** Resume after this event. */
  lastEventId: string | null;
  signal: AbortSignal;
  onEvents: (events: StreamEvent<T>[]) => void;
  onState: (state: StreamState, error?: ApiError) => void;
  /** Milliseconds before the next attempt, by the number of failures in a row. */
  backoff?: (attempts: number) => number;
};

const defaultBackoff = (attempts: number) => Math.min(10_000, 300 * 2 ** attempts);

/**
 * Reads a server-sent event stream, reconnecting after the last event, until the service answers 204 (complete) or an
 * error. Resolves then, or when aborted. The only reader of streams.
 */
export async function follow<T>(url: string, following: Following<T>): Promise<void> {
  const { signal, onState, backoff = defaultBackoff } = following;
  let id = following.lastEventId;
  for (let attempts = 0; !signal.aborted; attempts += 1) {
    try {
      const response = await fetch(url, {
        signal,
        cache: "no-store",
        headers: { Accept: "text/event-stream", ...(id === null ? {} : { "Last-Event-ID": id }) },
      });
      reportStatus(response.status);
      if (response.status === 204) return onState("ended");
      if (!response.ok || !response.body) {
        const error = await errorFromResponse(response);
        if (response.status !== 503) return onState("failed", error);
        onState("lost", error);
      } else {
        onState("live");
        const failed = await drain(response.body, following, (seen) => {
          id = seen;
          attempts = -1;
        });
        if (failed) return onState("failed", failed);
      }
    } catch (error) {
      if (signal.aborted) return;
      reportUnreachable();
      onState("lost", error instanceof ApiError ? error : undefined);
    }
    await pause(backoff(Math.max(0, attempts)), signal);
  }
}

async function drain<T>(
  body: ReadableStream<Uint8Array>,
  { onEvents, signal }: Following<T>,
  onId: (id: string) => void,
): Promise<ApiError | null> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let state = EMPTY;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || signal.aborted) return null;
    const step = parse(state, value);
    state = step.after;
    const events: StreamEvent<T>[] = [];
    let failed: ApiError | null = null;
    for (const frame of step.frames) {
      if (frame.event === "error") failed = failure(frame);
      else if (!isFarewell(frame))
        events.push({ id: frame.id, event: frame.event, data: JSON.parse(frame.data) as T });
      if (frame.id !== null) onId(frame.id);
    }
    if (events.length > 0) onEvents(events);
    if (failed) return failed;
  }
}

/** The service restarts: no error. AG-UI has no event for that, only an error code. */
function isFarewell(frame: Frame): boolean {
  if (frame.event === "farewell") return true;
  return frame.id === null && frame.data.includes('"farewell"') && isFarewellError(JSON.parse(frame.data));
}

function isFarewellError(data: unknown): boolean {
  return typeof data === "object" && data !== null && "code" in data && data.code === "farewell";
}

function failure(frame: Frame): ApiError {
  const said = JSON.parse(frame.data) as { message: string; error_id?: string | null };
  return new ApiError({
    ...problemOf(new Error(said.message)),
    title: "The stream failed",
    error_id: said.error_id ?? null,
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
