import { ArrowRight } from "lucide-react";
import { plural } from "@/format";
import { cx, TEXT_CLASS } from "@/kit";
import { longName } from "../metrics";
import type { GainFigures } from "./verdict";

/** An objective's gain over the baseline: `+24.3 %`, its interval, and both values. */
export function GainFigure({ change }: { change: GainFigures }) {
  const measured = change.fresh
    ? `${plural(change.measurements, "fresh measurement")} each`
    : "one measurement each";
  return (
    <div className="min-w-0">
      <div className="text-xs font-medium text-muted first-letter:uppercase">
        {longName(change.objective)}
      </div>
      <div className="flex flex-wrap items-baseline gap-x-3">
        <span
          className={cx(
            "num font-semibold tracking-tight",
            change.fresh ? "text-2xl" : "text-base text-muted",
            change.fresh && TEXT_CLASS[change.intent],
          )}
        >
          {change.figure}
        </span>
        {change.interval && (
          <span className="num text-sm text-muted" title="95 % interval">
            {change.interval}
          </span>
        )}
      </div>
      <div className="num flex flex-wrap items-center gap-x-1.5 text-sm">
        <span className="text-muted">{change.baseline}</span>
        <ArrowRight className="size-3.5 text-faint" aria-label="to" />
        <span className="font-medium">{change.winner}</span>
        <span className="text-faint">({measured})</span>
      </div>
    </div>
  );
}
