import { useSyncExternalStore } from "react";

/** Whether the window is at least `px` pixels wide. */
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
