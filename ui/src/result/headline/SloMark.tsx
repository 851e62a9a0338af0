import { Check, X } from "lucide-react";

export function SloMark({ met }: { met: boolean }) {
  const Icon = met ? Check : X;
  return (
    <Icon className={`size-4 shrink-0 ${met ? "text-ok" : "text-bad"}`} aria-label={met ? "met" : "missed"} />
  );
}
