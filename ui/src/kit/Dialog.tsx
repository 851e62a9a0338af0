import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef } from "react";
import { cx } from "./cx";
import { IconButton } from "./IconButton";

type Props = {
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  trigger?: ReactNode;
  title: ReactNode;
  /** A sentence under the title. */
  detail?: ReactNode;
  size?: "sm" | "md" | "lg" | "xl";
  /** Buttons, at the right of the bottom. */
  footer?: ReactNode;
  children?: ReactNode;
};

const SIZES = { sm: "max-w-md", md: "max-w-xl", lg: "max-w-3xl", xl: "max-w-6xl" };

/** Modal dialog. Closed by Escape, its close button or a click outside; focus is trapped and restored. */
export function Dialog({ open, onOpenChange, trigger, title, detail, size = "md", footer, children }: Props) {
  const before = useRef<Element | null>(null);
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      {trigger && <Radix.Trigger asChild>{trigger}</Radix.Trigger>}
      <Radix.Portal>
        <Radix.Overlay className="appear fixed inset-0 z-50 bg-shade" />
        <Radix.Content
          {...(detail ? {} : { "aria-describedby": undefined })}
          onOpenAutoFocus={() => {
            before.current = document.activeElement;
          }}
          // The library gives the focus back to a trigger only; without one it would be lost.
          onCloseAutoFocus={(event) => {
            const { current } = before;
            if (trigger || !(current instanceof HTMLElement) || !current.isConnected) return;
            event.preventDefault();
            current.focus();
          }}
          className={cx(
            "appear fixed left-1/2 top-[8dvh] z-50 flex max-h-[84dvh] w-[calc(100vw-1.5rem)] -translate-x-1/2 flex-col rounded-xl border border-line bg-raised shadow-raised",
            SIZES[size],
          )}
        >
          <header className="flex items-start gap-3 px-5 pb-3 pt-4">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {detail && <Radix.Description className="mt-1 text-sm text-muted">{detail}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton
                label="Close"
                icon={<X className="size-4" />}
                size="sm"
                tooltip={false}
                className="-mr-1.5"
              />
            </Radix.Close>
          </header>
          {children && <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-4 pt-1">{children}</div>}
          {footer && (
            <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">
              {footer}
            </footer>
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
