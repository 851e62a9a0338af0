import type { ReactNode } from "react";
import { cx } from "./cx";

type Props = {
  icon?: ReactNode;
  title: ReactNode;
  /** `h1` where it is all the page has to say. */
  as?: "p" | "h1" | "h2" | "h3";
  children?: ReactNode;
  action?: ReactNode;
  className?: string;
};

/** Empty state: title, explanation and an action. */
export function Empty({ icon, title, as: Title = "p", children, action, className }: Props) {
  return (
    <div className={cx("flex flex-col items-center justify-center px-6 py-12 text-center", className)}>
      {icon && (
        <div className="mb-3 flex size-10 items-center justify-center rounded-lg bg-hover text-faint [&>svg]:size-5">
          {icon}
        </div>
      )}
      <Title className="text-base font-semibold">{title}</Title>
      {children && <div className="mt-1 max-w-md text-sm text-muted">{children}</div>}
      {action && <div className="mt-4 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
