import { useSyncExternalStore } from "react";

/** Whether the window is at least so wide, in pixels. */
export function useMinWidth(px: number): boolean {
  const media = `(min-width: ${px}px)`;
  return useSyncExternalStore(
    (listener) => {
      const list = matchMedia(media);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    () => matchMedia(media).matches,
  );
}
