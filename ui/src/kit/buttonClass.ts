import { cx } from "./cx";

export type ButtonVariant = "primary" | "plain" | "quiet" | "danger";
export type ButtonSize = "sm" | "md";

const VARIANTS: Record<ButtonVariant, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover",
  plain: "border border-line bg-surface text-text hover:bg-hover",
  quiet: "text-muted hover:bg-hover hover:text-text",
  danger: "bg-bad-strong text-on-accent hover:brightness-110",
};
const SIZES: Record<ButtonSize, string> = { sm: "h-7 px-2 text-sm", md: "h-8 px-3 text-sm" };
const SQUARES: Record<ButtonSize, string> = { sm: "size-7", md: "size-8" };

/** CSS classes of a button, also for links. */
export function buttonClass(
  variant: ButtonVariant = "plain",
  size: ButtonSize = "md",
  square = false,
): string {
  return cx(
    "inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-md font-medium",
    "transition-colors disabled:pointer-events-none disabled:opacity-50 aria-disabled:opacity-50",
    VARIANTS[variant],
    square ? SQUARES[size] : SIZES[size],
  );
}
