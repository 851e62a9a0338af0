import type { ReactNode } from "react";
import { CopyButton } from "./CopyButton";
import { cx } from "./cx";

type Props = {
  /** What is shown, and copied. */
  text: string;
  /** Shown at the top: a language or a file's name. */
  title?: string;
  /** The same text with colours: a `code` element. */
  children?: ReactNode;
  wrap?: boolean;
  /** Scrolls beyond this height, as CSS writes it. */
  maxHeight?: string;
  className?: string;
};

/** Code, a command, a log: to read and to copy. */
export function Code({ text, title, children, wrap, maxHeight, className }: Props) {
  return (
    <figure
      className={cx(
        "group relative min-w-0 overflow-hidden rounded-lg border border-line bg-sunken",
        className,
      )}
    >
      {title && (
        <figcaption className="flex h-8 items-center border-b border-line pl-3 text-xs text-muted">
          {title}
        </figcaption>
      )}
      <CopyButton text={text} className="absolute right-1 top-0.5 z-1 bg-sunken" />
      {/* It scrolls, so it takes the focus: else no keyboard could read its end. */}
      <pre
        tabIndex={0}
        role="region"
        aria-label={title ?? "Code"}
        className={cx(
          "focus-inset overflow-auto px-3 py-2.5 font-mono text-xs leading-5",
          !title && "pr-10",
          wrap && "whitespace-pre-wrap break-words",
        )}
        style={{ maxHeight }}
      >
        {children ?? <code>{text}</code>}
      </pre>
    </figure>
  );
}
