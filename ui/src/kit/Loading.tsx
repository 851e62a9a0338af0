import { cx } from "./cx";

type Props = {
  /** What is loading, for screen readers. */
  label?: string;
  /** Lines of text. */
  lines?: number;
  /** Or a block of this height, as CSS writes it: `320px`. */
  height?: string;
  className?: string;
};

const WIDTHS = ["72%", "94%", "58%", "83%", "66%", "88%"];

/** Skeleton of the content's size, so that the layout does not shift when it is loaded. */
export function Loading({ label = "Loading", lines = 3, height, className }: Props) {
  return (
    <div role="status" className={cx("w-full", className)}>
      <span className="sr-only">{label} …</span>
      {height ? (
        <div className="skeleton w-full" style={{ height }} />
      ) : (
        <div className="space-y-2.5 py-1" aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => (
            <div key={index} className="skeleton h-3.5" style={{ width: WIDTHS[index % WIDTHS.length] }} />
          ))}
        </div>
      )}
    </div>
  );
}
