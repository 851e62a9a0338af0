import { type ReactNode, useEffect } from "react";
import { cx } from "./cx";

type Props = {
  title: string;
  /** Instead of the title as a heading: with a state beside it, or a way back. */
  heading?: ReactNode;
  /** A line under the title. */
  detail?: ReactNode;
  actions?: ReactNode;
  /** `read`: a column for text and forms; `wide`: everything there is. */
  width?: "read" | "wide";
  /** The page scrolls inside itself, as a chat or a long table does. */
  fill?: boolean;
  children: ReactNode;
};

/** A page's title, actions and scrolling content. */
export function Page({ title, heading, detail, actions, width = "wide", fill, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Autotuner`;
  }, [title]);
  const column = width === "read" ? "mx-auto w-full max-w-4xl" : "mx-auto w-full max-w-[120rem]";
  return (
    <div className={cx("flex h-full min-h-0 flex-col", !fill && "overflow-y-auto")}>
      <header
        className={cx("flex shrink-0 flex-wrap items-center gap-x-3 gap-y-2 px-4 pb-3 pt-4 md:px-6", column)}
      >
        <div className="min-w-0 flex-1 basis-56">
          {heading ?? <h1 className="text-xl font-semibold tracking-tight">{title}</h1>}
          {detail && <div className="text-sm text-muted">{detail}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      <div className={cx("min-w-0 px-4 pb-6 md:px-6", fill && "flex min-h-0 flex-1 flex-col", column)}>
        {children}
      </div>
    </div>
  );
}
