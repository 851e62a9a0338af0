import { Check, CircleHelp, X } from "lucide-react";
import type { SloVerdict } from "./verdict";

const MARKS = {
  met: { Icon: Check, colour: "text-ok", name: "met" },
  missed: { Icon: X, colour: "text-bad", name: "missed" },
  too_close: { Icon: CircleHelp, colour: "text-warn", name: "too close to say" },
} as const;

export function SloMark({ verdict }: { verdict: SloVerdict }) {
  const { Icon, colour, name } = MARKS[verdict];
  return <Icon className={`size-4 shrink-0 ${colour}`} aria-label={name} />;
}
