import { CircleAlert } from "lucide-react";
import { type ReactNode, useId, useMemo } from "react";
import { cx } from "./cx";
import { FieldContext } from "./fieldContext";

type Props = {
  label: ReactNode;
  /** What it means, its unit or its limits. */
  help?: ReactNode;
  error?: ReactNode;
  required?: boolean;
  /** Label left of the control; above it otherwise. */
  inline?: boolean;
  /** The label is for screen readers only. */
  hideLabel?: boolean;
  className?: string;
  /** One Input, Select, Switch or Textarea: it is linked to label, help and error by itself. */
  children: ReactNode;
};

export function Field({ label, help, error, required, inline, hideLabel, className, children }: Props) {
  const id = useId();
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const link = useMemo(
    () => ({ id, "aria-describedby": described, "aria-invalid": error ? true : undefined, required }),
    [id, described, error, required],
  );
  return (
    <div
      className={cx(
        "min-w-0",
        inline ? "flex flex-wrap items-center justify-between gap-x-4 gap-y-1" : "space-y-1",
        className,
      )}
    >
      <label htmlFor={id} className={cx("block text-sm font-medium", hideLabel && "sr-only")}>
        {label}
        {required && (
          <span className="text-bad" aria-hidden="true">
            {" *"}
          </span>
        )}
      </label>
      <FieldContext value={link}>{children}</FieldContext>
      {help && (
        <p id={`${id}-help`} className={cx("text-xs text-muted", inline && "basis-full")}>
          {help}
        </p>
      )}
      {error && (
        <p
          id={`${id}-error`}
          className={cx("flex items-start gap-1 text-xs text-bad", inline && "basis-full")}
        >
          <CircleAlert className="mt-0.5 size-3 shrink-0" aria-hidden="true" />
          <span>{error}</span>
        </p>
      )}
    </div>
  );
}
