import { readStored, writeStored } from "@/state/storage";
import { createStore, useStore } from "@/state/store";

const KEY = "autotuner-sidebar";
const foldedStore = createStore(readStored("local", KEY) === "folded");

function toggle(): void {
  const folded = !foldedStore.get();
  foldedStore.set(folded);
  writeStored("local", KEY, folded ? "folded" : "open");
}

export function useSidebar(): { folded: boolean; toggle: () => void } {
  return { folded: useStore(foldedStore), toggle };
}
