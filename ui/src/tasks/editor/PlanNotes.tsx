import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { Schema } from "@/api";
import { count } from "@/format";
import { cx, TEXT_CLASS } from "@/kit";

const KINDS = {
  missing: { icon: CircleAlert, intent: "bad" },
  warning: { icon: TriangleAlert, intent: "warn" },
  skipped: { icon: Info, intent: "neutral" },
} as const;

/** Missing requirements, warnings and skipped configurations of a plan. */
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
        const { icon: Icon, intent } = KINDS[kind];
        return (
          <li key={at} className="flex gap-2">
            <Icon className={cx("mt-0.5 size-4 shrink-0", TEXT_CLASS[intent])} aria-label={kind} />
            <span className="min-w-0 break-words">{text}</span>
          </li>
        );
      })}
    </ul>
  );
}
