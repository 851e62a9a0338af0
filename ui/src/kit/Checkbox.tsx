import type { ComponentProps } from "react";
import { cx } from "./cx";

type Props = Omit<ComponentProps<"input">, "type" | "onChange"> & { onChange: (checked: boolean) => void };

export function Checkbox({ onChange, className, ...rest }: Props) {
  return (
    <input
      type="checkbox"
      {...rest}
      onChange={(event) => onChange(event.target.checked)}
      className={cx("size-4 shrink-0 accent-(--accent)", className)}
    />
  );
}
