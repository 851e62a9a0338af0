import { Ban, Check, CircleAlert, Clock, Hand, PenLine, X } from "lucide-react";
import type { ReactNode } from "react";
import { cx, INK, Spinner, type Tone } from "@/kit";
import type { CallStatus } from "../thread/views";
import { STATUS } from "./words";

const ICON = "size-3.5";
const LOOKS: Record<CallStatus, { tone: Tone; icon: ReactNode }> = {
  writing: { tone: "neutral", icon: <PenLine className={ICON} /> },
  asking: { tone: "warn", icon: <Hand className={ICON} /> },
  approved: { tone: "accent", icon: <Clock className={ICON} /> },
  running: { tone: "accent", icon: <Spinner className={ICON} /> },
  done: { tone: "ok", icon: <Check className={ICON} /> },
  failed: { tone: "bad", icon: <CircleAlert className={ICON} /> },
  rejected: { tone: "neutral", icon: <X className={ICON} /> },
  expired: { tone: "neutral", icon: <Clock className={ICON} /> },
  cancelled: { tone: "neutral", icon: <Ban className={ICON} /> },
};

/** How a call stands, as a shape and a colour; its name is for screen readers. */
export function CallIcon({ status }: { status: CallStatus }) {
  const { tone, icon } = LOOKS[status];
  return (
    <span className={cx("flex size-4 shrink-0 items-center justify-center", INK[tone])}>
      {icon}
      <span className="sr-only">{STATUS[status]}</span>
    </span>
  );
}
