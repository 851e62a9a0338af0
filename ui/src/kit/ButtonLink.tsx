import type { ReactNode } from "react";
import { Link, type LinkProps } from "react-router";
import { buttonClass, type ButtonVariant, type ButtonSize } from "./buttonClass";
import { cx } from "./cx";

type Props = LinkProps & { variant?: ButtonVariant; size?: ButtonSize; icon?: ReactNode };

/** A link that looks like a button. */
export function ButtonLink({ variant, size, icon, className, children, ...rest }: Props) {
  return (
    <Link className={cx(buttonClass(variant, size), className)} {...rest}>
      {icon}
      {children}
    </Link>
  );
}
