import { Ban, Check, CircleDashed, Clock, X } from "lucide-react";
import type { ReactNode } from "react";
import type { Schema } from "@/api";
import { Badge } from "./Badge";
import { Spinner } from "./Spinner";
import type { Tone } from "./tone";

export type State = Schema<"TaskState"> | Schema<"ExperimentState">;

const ICON = "size-3";
const STATES: Record<State, { tone: Tone; icon: ReactNode; text: string }> = {
  created: { tone: "neutral", icon: <CircleDashed className={ICON} />, text: "Draft" },
  queued: { tone: "info", icon: <Clock className={ICON} />, text: "Queued" },
  running: { tone: "accent", icon: <Spinner className={ICON} />, text: "Running" },
  completed: { tone: "ok", icon: <Check className={ICON} />, text: "Completed" },
  failed: { tone: "bad", icon: <X className={ICON} />, text: "Failed" },
  cancelled: { tone: "neutral", icon: <Ban className={ICON} />, text: "Cancelled" },
};

/** The state of a task or an experiment, as a word, a colour and a shape. */
export function StateBadge({ state }: { state: State }) {
  const { tone, icon, text } = STATES[state];
  return (
    <Badge tone={tone} icon={icon}>
      {text}
    </Badge>
  );
}
