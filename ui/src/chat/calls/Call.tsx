import { ApprovalCard } from "../approvals/ApprovalCard";
import { useConversation } from "../conversation";
import { TaskCard } from "../task/TaskCard";
import type { CallEntry } from "../thread/model";
import { startedTask, callStatus } from "../thread/selectors";
import { planOfPreview } from "./plan";
import { ToolCard } from "./ToolCard";

/** A tool call: its approval or its state, and the task that it started. */
export function Call({ entry }: { entry: CallEntry }) {
  const { running, now, starts } = useConversation();
  const stands = callStatus(entry, running, now);
  if (stands === "asking" && entry.approval !== null) return <ApprovalCard approval={entry.approval} />;
  const task = starts.has(entry.id) ? startedTask(entry) : null;
  return (
    <div className="space-y-2">
      <ToolCard entry={entry} status={stands} />
      {task !== null && (
        <TaskCard id={task} planned={planOfPreview(entry.approval?.preview ?? {})?.experiments ?? null} />
      )}
    </div>
  );
}
