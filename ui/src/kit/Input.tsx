import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";
import { controlClass, useField } from "./fieldContext";

type Props = ComponentProps<"input"> & {
  /** Inside, at the left: an icon. */
  before?: ReactNode;
  /** Inside, at the right: a unit, or a button. */
  after?: ReactNode;
};

export function Input({ before, after, className, ...rest }: Props) {
  const field = useField();
  const input = (
    <input
      autoComplete="off"
      {...field}
      {...rest}
      className={cx(
        controlClass(rest["aria-invalid"] === true || field["aria-invalid"]),
        "h-8",
        before ? "pl-8" : "pl-2.5",
        after ? "pr-14" : "pr-2.5",
        rest.type === "number" && "num",
        !before && !after && className,
      )}
    />
  );
  if (!before && !after) return input;
  return (
    <span className={cx("relative block min-w-0", className)}>
      {before && (
        <span className="pointer-events-none absolute inset-y-0 left-2.5 flex items-center text-faint [&>svg]:size-4">
          {before}
        </span>
      )}
      {input}
      {after && (
        <span className="absolute inset-y-0 right-1.5 flex items-center text-xs text-muted">{after}</span>
      )}
    </span>
  );
}
