import createClient, { type FetchResponse, type MaybeOptionalInit, type Middleware } from "openapi-fetch";
import { reportStatus, reportUnreachable } from "./connection";
import { errorFromResponse, unreachable } from "./problem";
import type { paths } from "./schema";

const edge: Middleware = {
  async onResponse({ response }) {
    reportStatus(response.status);
    if (!response.ok) throw await errorFromResponse(response);
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    reportUnreachable();
    return unreachable();
  },
};

/**
 * Client of the service, typed by its OpenAPI schema: `await call(api.GET("/api/tasks/{task}", { params: { path: { task } } }))`.
 * Errors are thrown as `ApiError`.
 */
export const api = createClient<paths>({
  baseUrl: "",
  // Looked up at each call: tests replace it.
  fetch: (request) => globalThis.fetch(request),
});
api.use(edge);

/** The data of an answer; errors are thrown by the middleware. */
export async function call<
  R extends Record<string | number, unknown>,
  O extends MaybeOptionalInit<Record<string, never>, never> | unknown,
  M extends `${string}/${string}`,
>(asked: Promise<FetchResponse<R, O, M>>): Promise<NonNullable<FetchResponse<R, O, M>["data"]>> {
  return (await asked).data as NonNullable<FetchResponse<R, O, M>["data"]>;
}

/** Sends a text body, such as a task or preset in YAML. */
export async function sendText<T>(
  method: "POST" | "PUT",
  path: string,
  text: string,
  kind = "application/yaml",
): Promise<T> {
  const response = await send(path, { method, body: text, headers: { "Content-Type": kind } });
  return (await response.json()) as T;
}

/** Fetch with the same errors, for bodies that are not JSON. */
export async function send(path: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    reportUnreachable();
    throw unreachable();
  }
  reportStatus(response.status);
  if (!response.ok) throw await errorFromResponse(response);
  return response;
}
