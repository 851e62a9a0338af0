import { ChevronDown } from "lucide-react";
import type { ComponentProps } from "react";
import { cx } from "./cx";
import { controlClass, useField } from "./fieldContext";

export type Option<V extends string = string> = { value: V; label: string; disabled?: boolean };

type Props<V extends string> = Omit<ComponentProps<"select">, "value" | "onChange" | "children"> & {
  value: V;
  onChange: (value: V) => void;
  options: readonly Option<V>[];
};

/** The browser's own select, for accessibility and touch. */
export function Select<V extends string>({ value, onChange, options, className, ...rest }: Props<V>) {
  const field = useField();
  return (
    <span className={cx("relative block min-w-0", className)}>
      <select
        {...field}
        {...rest}
        value={value}
        onChange={(event) => onChange(event.target.value as V)}
        className={cx(controlClass(field["aria-invalid"]), "h-8 appearance-none truncate pl-2.5 pr-8")}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled} className="bg-raised">
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown
        className="pointer-events-none absolute right-2 top-2 size-4 text-faint"
        aria-hidden="true"
      />
    </span>
  );
}
