import type { ComponentProps, ReactNode } from "react";
import { buttonClass, type ButtonVariant, type ButtonSize } from "./buttonClass";
import { cx } from "./cx";
import { Spinner } from "./Spinner";

export type ButtonProps = ComponentProps<"button"> & {
  variant?: ButtonVariant;
  size?: ButtonSize;
  icon?: ReactNode;
  /** Its action is running: disabled, with a spinner. */
  pending?: boolean;
};

export function Button({
  variant,
  size,
  icon,
  pending,
  className,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={cx(buttonClass(variant, size), className)}
      disabled={disabled || pending}
      aria-busy={pending || undefined}
      {...rest}
    >
      {pending ? <Spinner /> : icon}
      {children}
    </button>
  );
}
