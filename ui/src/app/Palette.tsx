import { Dialog } from "radix-ui";
import { useEffect } from "react";
import { useStore } from "@/state/store";
import { paletteOpen } from "./commands";
import { PaletteList } from "./PaletteList";

/** Command palette, opened by Ctrl K or ⌘K. */
export function Palette() {
  const open = useStore(paletteOpen);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (
        (event.ctrlKey || event.metaKey) &&
        !event.altKey &&
        !event.shiftKey &&
        event.key.toLowerCase() === "k"
      ) {
        event.preventDefault();
        paletteOpen.set(!paletteOpen.get());
      }
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, []);
  return (
    <Dialog.Root open={open} onOpenChange={paletteOpen.set}>
      <Dialog.Portal>
        <Dialog.Overlay className="appear fixed inset-0 z-50 bg-shade" />
        <Dialog.Content
          aria-describedby={undefined}
          className="appear fixed left-1/2 top-[12dvh] z-50 flex max-h-[70dvh] w-[calc(100vw-1.5rem)] max-w-xl -translate-x-1/2 flex-col overflow-hidden rounded-xl border border-line bg-raised shadow-raised"
        >
          <Dialog.Title className="sr-only">Search and commands</Dialog.Title>
          <PaletteList onDone={() => paletteOpen.set(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
