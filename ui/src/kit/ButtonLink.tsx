import type { ReactNode } from "react";
import { Link, type LinkProps } from "react-router";
import { buttonClass, type Look, type Size } from "./button";
import { cx } from "./cx";

type Props = LinkProps & { look?: Look; size?: Size; icon?: ReactNode };

/** A link that looks like a button: it goes somewhere, and can be opened in a tab of its own. */
export function ButtonLink({ look, size, icon, className, children, ...rest }: Props) {
  return (
    <Link className={cx(buttonClass(look, size), className)} {...rest}>
      {icon}
      {children}
    </Link>
  );
}
