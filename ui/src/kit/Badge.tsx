import type { ReactNode } from "react";
import { cx } from "./cx";
import { SOFT, type Tone } from "./tone";

type Props = { tone?: Tone; icon?: ReactNode; title?: string; className?: string; children: ReactNode };

export function Badge({ tone = "neutral", icon, title, className, children }: Props) {
  return (
    <span
      title={title}
      className={cx(
        "inline-flex h-5 shrink-0 items-center gap-1 whitespace-nowrap rounded px-1.5 text-xs font-medium",
        SOFT[tone],
        className,
      )}
    >
      {icon}
      {children}
    </span>
  );
}
