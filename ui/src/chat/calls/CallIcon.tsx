import { Ban, Check, CircleAlert, Clock, Hand, PenLine, X } from "lucide-react";
import type { ReactNode } from "react";
import { cx, TEXT_CLASS, Spinner, type Intent } from "@/kit";
import type { CallStatus } from "../thread/selectors";
import { STATUS_TEXT } from "./callText";

const ICON = "size-3.5";
const STYLES: Record<CallStatus, { intent: Intent; icon: ReactNode }> = {
  writing: { intent: "neutral", icon: <PenLine className={ICON} /> },
  asking: { intent: "warn", icon: <Hand className={ICON} /> },
  approved: { intent: "accent", icon: <Clock className={ICON} /> },
  running: { intent: "accent", icon: <Spinner className={ICON} /> },
  done: { intent: "ok", icon: <Check className={ICON} /> },
  failed: { intent: "bad", icon: <CircleAlert className={ICON} /> },
  rejected: { intent: "neutral", icon: <X className={ICON} /> },
  expired: { intent: "neutral", icon: <Clock className={ICON} /> },
  cancelled: { intent: "neutral", icon: <Ban className={ICON} /> },
};

/** Icon of a call's status. */
export function CallIcon({ status }: { status: CallStatus }) {
  const { intent, icon } = STYLES[status];
  return (
    <span className={cx("flex size-4 shrink-0 items-center justify-center", TEXT_CLASS[intent])}>
      {icon}
      <span className="sr-only">{STATUS_TEXT[status]}</span>
    </span>
  );
}
