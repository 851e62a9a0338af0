import type { ReactNode } from "react";
import { cx } from "./cx";
import { BADGE_CLASS, type Intent } from "./intent";

type Props = { intent?: Intent; icon?: ReactNode; title?: string; className?: string; children: ReactNode };

export function Badge({ intent = "neutral", icon, title, className, children }: Props) {
  return (
    <span
      title={title}
      className={cx(
        "inline-flex h-5 shrink-0 items-center gap-1 whitespace-nowrap rounded px-1.5 text-xs font-medium",
        BADGE_CLASS[intent],
        className,
      )}
    >
      {icon}
      {children}
    </span>
  );
}
