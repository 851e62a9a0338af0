import { Ban, Check, CircleDashed, Clock, X } from "lucide-react";
import type { ReactNode } from "react";
import type { Schema } from "@/api";
import { Badge } from "./Badge";
import { Spinner } from "./Spinner";
import type { Intent } from "./intent";

export type State = Schema<"TaskState"> | Schema<"ExperimentState">;

const ICON = "size-3";
const STATES: Record<State, { intent: Intent; icon: ReactNode; text: string }> = {
  created: { intent: "neutral", icon: <CircleDashed className={ICON} />, text: "Draft" },
  queued: { intent: "info", icon: <Clock className={ICON} />, text: "Queued" },
  running: { intent: "accent", icon: <Spinner className={ICON} />, text: "Running" },
  completed: { intent: "ok", icon: <Check className={ICON} />, text: "Completed" },
  failed: { intent: "bad", icon: <X className={ICON} />, text: "Failed" },
  cancelled: { intent: "neutral", icon: <Ban className={ICON} />, text: "Cancelled" },
};

/** The state of a task or an experiment, as a word, a colour and a shape. */
export function StateBadge({ state }: { state: State }) {
  const { intent, icon, text } = STATES[state];
  return (
    <Badge intent={intent} icon={icon}>
      {text}
    </Badge>
  );
}
