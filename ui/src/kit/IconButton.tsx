import type { ComponentProps, ReactNode } from "react";
import { buttonClass, type ButtonVariant, type ButtonSize } from "./buttonClass";
import { cx } from "./cx";
import { Spinner } from "./Spinner";
import { Tooltip } from "./Tooltip";

type Props = Omit<ComponentProps<"button">, "children"> & {
  /** Its name, shown as a tooltip as well. */
  label: string;
  icon: ReactNode;
  variant?: ButtonVariant;
  size?: ButtonSize;
  pending?: boolean;
  /** Keys that do the same, shown in the tooltip. */
  keys?: string;
  /** Off where it opens a menu or is pressed all the time. */
  tooltip?: boolean;
};

export function IconButton({
  label,
  icon,
  variant = "quiet",
  size,
  pending,
  keys,
  tooltip = true,
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
      className={cx(buttonClass(variant, size, true), className)}
      {...rest}
    >
      {pending ? <Spinner /> : icon}
    </button>
  );
  return tooltip ? (
    <Tooltip text={label} keys={keys}>
      {button}
    </Tooltip>
  ) : (
    button
  );
}
