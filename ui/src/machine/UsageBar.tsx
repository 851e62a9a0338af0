import { percent } from "@/format";
import { cx } from "@/kit";

const NEARLY = 0.92;

/** A meter: the used part of a resource. */
export function UsageBar({ label, part }: { label: string; part: number }) {
  const filled = Math.min(1, Math.max(0, part));
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(filled * 100)}
      aria-valuetext={percent(filled, { digits: 0 })}
      className="mt-1 h-1.5 w-full overflow-hidden rounded-full bg-hover"
    >
      <div
        className={cx("h-full rounded-full", filled > NEARLY ? "bg-warn" : "bg-accent")}
        style={{ width: `${filled * 100}%` }}
      />
    </div>
  );
}
