/** AG-UI's CUSTOM events, as the service names them: their values are untyped on the wire and checked here. */

import { type JsonObject, isObject, asNumber, asText } from "@/format/json";
import type { Approval, Progress, Usage } from "./model";

export type CustomEvent =
  | { name: "history_cut"; messageId: string }
  | { name: "tool_progress"; toolCallId: string; progress: Progress }
  | { name: "usage"; usage: Usage }
  | { name: "approval"; approval: Approval };

/** Null: an event that this page does not know, or that is not what it says. */
export function customEvent(name: string, value: unknown): CustomEvent | null {
  if (!isObject(value)) return null;
  switch (name) {
    case "history_cut": {
      const messageId = asText(value.messageId);
      return messageId === null ? null : { name, messageId };
    }
    case "tool_progress": {
      const toolCallId = asText(value.toolCallId);
      return toolCallId === null ? null : { name, toolCallId, progress: progress(value.data) };
    }
    case "usage":
      return {
        name,
        usage: { input: asNumber(value.inputTokens) ?? 0, output: asNumber(value.outputTokens) ?? 0 },
      };
    case "approval_requested":
    case "approval_decided":
      return isApproval(value) ? { name: "approval", approval: value } : null;
    default:
      return null;
  }
}

function progress(data: unknown): Progress {
  const said = isObject(data) ? data : {};
  return {
    done: asNumber(said.done),
    total: asNumber(said.total),
    unit: asText(said.unit),
    message: asText(said.message),
  };
}

/** Checks the fields that the page uses. */
function isApproval(value: JsonObject): value is JsonObject & Approval {
  const texts = [value.id, value.call_id, value.tool, value.digest, value.state, value.expires_at];
  return texts.every((one) => typeof one === "string") && isObject(value.args);
}
