import { CircleAlert, RotateCw } from "lucide-react";
import { type ReactNode, useId } from "react";
import { problemOf } from "@/api";
import { Button } from "./Button";
import { cx } from "./cx";

type Props = {
  error: unknown;
  onRetry?: () => void;
  /** For forms and dialogs; a card otherwise. */
  compact?: boolean;
  action?: ReactNode;
  className?: string;
};

/** An error as the service describes it, with a way to retry. */
export function ErrorMessage({ error, onRetry, compact, action, className }: Props) {
  const id = useId();
  const problem = problemOf(error);
  const places = problem.errors.filter((place) => place.message !== problem.detail);
  return (
    <div
      role="alert"
      aria-labelledby={id}
      className={cx(
        "flex gap-3 rounded-lg border border-bad/40 bg-bad-soft text-sm",
        compact ? "px-3 py-2" : "p-4",
        className,
      )}
    >
      <CircleAlert className="mt-0.5 size-4 shrink-0 text-bad" aria-hidden="true" />
      <div className="min-w-0 flex-1 space-y-1.5">
        <p id={id} className="font-medium text-bad">
          {problem.title}
        </p>
        <p className="whitespace-pre-line break-words">{problem.detail}</p>
        {places.length > 1 && (
          <ul className="list-disc space-y-0.5 pl-4">
            {places.map((place, index) => (
              <li key={index} className="break-words">
                {place.line != null && <span className="num text-muted">line {place.line}: </span>}
                {place.where && <code className="font-mono text-xs">{place.where}</code>} {place.message}
              </li>
            ))}
          </ul>
        )}
        {problem.error_id && (
          <p className="text-xs text-muted">In the service’s log under {problem.error_id}</p>
        )}
        {(onRetry || action) && (
          <div className="flex gap-2 pt-1">
            {onRetry && (
              <Button size="sm" icon={<RotateCw className="size-3.5" />} onClick={onRetry}>
                Try again
              </Button>
            )}
            {action}
          </div>
        )}
      </div>
    </div>
  );
}
