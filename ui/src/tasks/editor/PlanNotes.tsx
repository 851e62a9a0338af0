import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { Schema } from "@/api";
import { count } from "@/format";
import { cx, INK } from "@/kit";

const KINDS = {
  missing: { icon: CircleAlert, tone: "bad" },
  warning: { icon: TriangleAlert, tone: "warn" },
  skipped: { icon: Info, tone: "neutral" },
} as const;

/** What is missing here, what to mind, and what is left out. */
export function PlanNotes({ plan }: { plan: Schema<"PlanSummary"> }) {
  const notes = [
    ...plan.missing.map((text) => ({ kind: "missing" as const, text })),
    ...plan.warnings.map((text) => ({ kind: "warning" as const, text })),
    ...plan.skipped.map((one) => ({
      kind: "skipped" as const,
      text: `${count(one.count)} left out: ${one.reason}`,
    })),
  ];
  if (notes.length === 0) return null;
  return (
    <ul className="space-y-2 text-sm">
      {notes.map(({ kind, text }, at) => {
        const { icon: Icon, tone } = KINDS[kind];
        return (
          <li key={at} className="flex gap-2">
            <Icon className={cx("mt-0.5 size-4 shrink-0", INK[tone])} aria-label={kind} />
            <span className="min-w-0 break-words">{text}</span>
          </li>
        );
      })}
    </ul>
  );
}
