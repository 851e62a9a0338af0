import { cx } from "./cx";

type Props = {
  label: string;
  /** Null: indeterminate. */
  done: number | null;
  total?: number;
  intent?: "accent" | "ok" | "bad";
  /** In words, for screen readers: `3 of 12 experiments`. */
  text?: string;
  className?: string;
};

const FILL = { accent: "bg-accent", ok: "bg-ok", bad: "bg-bad" };

export function Progress({ label, done, total = 1, intent = "accent", text, className }: Props) {
  const part = done === null ? null : Math.min(1, Math.max(0, total > 0 ? done / total : 0));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={part === null ? undefined : Math.round(part * 100)}
      aria-valuetext={text}
      className={cx("h-1.5 w-full overflow-hidden rounded-full bg-hover", className)}
    >
      <div
        className={cx("h-full rounded-full transition-[width]", FILL[intent], part === null && "skeleton")}
        style={{ width: `${(part ?? 1) * 100}%` }}
      />
    </div>
  );
}
