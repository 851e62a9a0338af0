import { X } from "lucide-react";
import { useStore } from "@/state/store";
import { Button } from "./Button";
import { cx } from "./cx";
import { IconButton } from "./IconButton";
import { dismiss, toasts } from "./toasts";
import { TEXT_CLASS } from "./intent";

/** Renders the toasts; once, in App. */
export function Toaster() {
  const shown = useStore(toasts);
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed bottom-16 right-3 z-60 flex w-[min(22rem,calc(100vw-1.5rem))] flex-col gap-2 md:bottom-3"
    >
      {shown.map((one) => (
        <div
          key={one.id}
          className="appear pointer-events-auto flex items-center gap-2 rounded-lg border border-line bg-raised py-2 pl-3 pr-2 text-sm shadow-raised"
        >
          <span
            className={cx("min-w-0 flex-1 break-words", one.intent !== "neutral" && TEXT_CLASS[one.intent])}
          >
            {one.text}
          </span>
          {one.action && (
            <Button size="sm" variant="quiet" onClick={one.action.onSelect}>
              {one.action.label}
            </Button>
          )}
          <IconButton
            label="Dismiss"
            size="sm"
            tooltip={false}
            icon={<X className="size-3.5" />}
            onClick={() => dismiss(one.id)}
          />
        </div>
      ))}
    </div>
  );
}
