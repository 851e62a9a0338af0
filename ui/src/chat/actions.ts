/** Requests of a conversation. Their effects arrive by the session's stream, in every tab. */

import { api, call, type Schema, send } from "@/api";

export async function sendMessage(sessionId: string, text: string): Promise<void> {
  const said: Schema<"RunAgentInput"> = {
    threadId: sessionId,
    runId: "",
    protocolVersion: "1.0",
    // The service gives ids of its own.
    messages: [{ role: "user", id: "new", content: text }],
  };
  const headers = { "Content-Type": "application/json" };
  const response = await send("/api/agent/runs", { method: "POST", headers, body: JSON.stringify(said) });
  // The answer is a stream of the run. Closing it does not stop the run; the session's stream has all events.
  await response.body?.cancel();
}

/** A new session with its first message. */
export async function startSession(text: string): Promise<string> {
  const { id } = await call(api.POST("/api/agent/sessions"));
  try {
    await sendMessage(id, text);
  } catch (error) {
    await remove(id).catch(() => undefined);
    throw error;
  }
  return id;
}

/** Continues from an earlier message, edited or not; later ones are dropped. */
export const resend = (session_id: string, message_id: string, text: string) =>
  call(
    api.POST("/api/agent/sessions/{session_id}/messages/{message_id}/resend", {
      params: { path: { session_id, message_id } },
      body: { text },
    }),
  );

export const stop = (session_id: string) =>
  call(api.POST("/api/agent/sessions/{session_id}/cancel", { params: { path: { session_id } } }));

export const decide = (approval_id: string, body: Schema<"Approve"> | Schema<"Reject">) =>
  call(api.POST("/api/agent/approvals/{approval_id}/decision", { params: { path: { approval_id } }, body }));

export const rename = (session_id: string, title: string) =>
  call(api.PATCH("/api/agent/sessions/{session_id}", { params: { path: { session_id } }, body: { title } }));

export const remove = (session_id: string) =>
  call(api.DELETE("/api/agent/sessions/{session_id}", { params: { path: { session_id } } }));

/** URL of a conversation as Markdown. */
export const transcriptOf = (sessionId: string) => `/api/agent/sessions/${sessionId}/transcript`;
