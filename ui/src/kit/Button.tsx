import type { ComponentProps, ReactNode } from "react";
import { buttonClass, type Look, type Size } from "./button";
import { cx } from "./cx";
import { Spinner } from "./Spinner";

export type ButtonProps = ComponentProps<"button"> & {
  look?: Look;
  size?: Size;
  icon?: ReactNode;
  /** What it does is going on: it cannot be pressed again, and keeps its width. */
  pending?: boolean;
};

export function Button({ look, size, icon, pending, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={cx(buttonClass(look, size), className)}
      disabled={disabled || pending}
      aria-busy={pending || undefined}
      {...rest}
    >
      {pending ? <Spinner /> : icon}
      {children}
    </button>
  );
}
