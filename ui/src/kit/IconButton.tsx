import type { ComponentProps, ReactNode } from "react";
import { buttonClass, type Look, type Size } from "./button";
import { cx } from "./cx";
import { Spinner } from "./Spinner";
import { Tooltip } from "./Tooltip";

type Props = Omit<ComponentProps<"button">, "children"> & {
  /** Its name, shown as a tooltip as well. */
  label: string;
  icon: ReactNode;
  look?: Look;
  size?: Size;
  pending?: boolean;
  /** Keys that do the same, shown in the tooltip. */
  keys?: string;
  /** Off where it opens a menu or is pressed all the time. */
  tip?: boolean;
};

export function IconButton({
  label,
  icon,
  look = "quiet",
  size,
  pending,
  keys,
  tip = true,
  className,
  disabled,
  ...rest
}: Props) {
  const button = (
    <button
      type="button"
      aria-label={label}
      aria-busy={pending || undefined}
      disabled={disabled || pending}
      className={cx(buttonClass(look, size, true), className)}
      {...rest}
    >
      {pending ? <Spinner /> : icon}
    </button>
  );
  return tip ? (
    <Tooltip text={label} keys={keys}>
      {button}
    </Tooltip>
  ) : (
    button
  );
}
