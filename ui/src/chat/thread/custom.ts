/** AG-UI's CUSTOM events, as the service names them: their values are untyped on the wire and checked here. */

import { type Block, isBlock, numberOf, textOf } from "../json";
import type { Approval, Progress, Usage } from "./model";

export type Custom =
  | { name: "history_cut"; messageId: string }
  | { name: "tool_progress"; toolCallId: string; progress: Progress }
  | { name: "usage"; usage: Usage }
  | { name: "approval"; approval: Approval };

/** Null: an event that this page does not know, or that is not what it says. */
export function custom(name: string, value: unknown): Custom | null {
  if (!isBlock(value)) return null;
  switch (name) {
    case "history_cut": {
      const messageId = textOf(value.messageId);
      return messageId === null ? null : { name, messageId };
    }
    case "tool_progress": {
      const toolCallId = textOf(value.toolCallId);
      return toolCallId === null ? null : { name, toolCallId, progress: progress(value.data) };
    }
    case "usage":
      return {
        name,
        usage: { input: numberOf(value.inputTokens) ?? 0, output: numberOf(value.outputTokens) ?? 0 },
      };
    case "approval_requested":
    case "approval_decided":
      return isApproval(value) ? { name: "approval", approval: value } : null;
    default:
      return null;
  }
}

function progress(data: unknown): Progress {
  const said = isBlock(data) ? data : {};
  return {
    done: numberOf(said.done),
    total: numberOf(said.total),
    unit: textOf(said.unit),
    message: textOf(said.message),
  };
}

/** By what the page relies on; the rest is as the service's description of itself says. */
function isApproval(value: Block): value is Block & Approval {
  const texts = [value.id, value.call_id, value.tool, value.digest, value.state, value.expires_at];
  return texts.every((one) => typeof one === "string") && isBlock(value.args);
}
