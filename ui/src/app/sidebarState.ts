import { createStore, useStore } from "@/state/store";

const KEPT = "autotuner-sidebar";

function kept(): boolean {
  try {
    return localStorage.getItem(KEPT) === "folded";
  } catch {
    return false;
  }
}

const foldedStore = createStore(kept());

function toggle(): void {
  const folded = !foldedStore.get();
  foldedStore.set(folded);
  try {
    localStorage.setItem(KEPT, folded ? "folded" : "open");
  } catch {
    // Storage is closed to us: it holds until the page is left.
  }
}

export function useSidebar(): { folded: boolean; toggle: () => void } {
  return { folded: useStore(foldedStore), toggle };
}
