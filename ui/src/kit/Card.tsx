import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";

type Props = Omit<ComponentProps<"section">, "title"> & {
  title?: ReactNode;
  /** Beside the title, at the right. */
  actions?: ReactNode;
  /** False: what is inside reaches the edges, as a table does. */
  padded?: boolean;
};

export function Card({ title, actions, padded = true, className, children, ...rest }: Props) {
  return (
    <section
      className={cx("flex min-w-0 flex-col rounded-lg border border-line bg-surface", className)}
      {...rest}
    >
      {(title || actions) && (
        <header className="flex min-h-11 flex-wrap items-center gap-2 border-b border-line px-4 py-1.5">
          {title && <h2 className="min-w-0 text-base font-semibold">{title}</h2>}
          {actions && (
            <div className="ml-auto flex flex-wrap items-center justify-end gap-1.5">{actions}</div>
          )}
        </header>
      )}
      <div className={cx("min-h-0 min-w-0 flex-1", padded && "p-4")}>{children}</div>
    </section>
  );
}
