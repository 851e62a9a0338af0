import type { ComponentProps } from "react";
import { cx } from "./cx";
import { controlClass, useField } from "./fieldContext";

export function Textarea({ className, ...rest }: ComponentProps<"textarea">) {
  const field = useField();
  return (
    <textarea
      rows={3}
      {...field}
      {...rest}
      className={cx(controlClass(field["aria-invalid"]), "block resize-y px-2.5 py-1.5", className)}
    />
  );
}
