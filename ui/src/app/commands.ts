import { createStore } from "@/state/store";

/** An entry of the command palette. */
export type Command = {
  id: string;
  name: string;
  /** The heading it stands under. */
  group: string;
  /** Further search words. */
  words?: string;
  run: () => void;
};

export const paletteOpen = createStore(false);
export const openPalette = () => paletteOpen.set(true);

/** Commands that contain every word; those whose name starts with the first one come first. Pure. */
export function matching(commands: readonly Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const all = (one: Command) => `${one.name} ${one.group} ${one.words ?? ""}`.toLowerCase();
  const first = words[0] ?? "";
  return commands
    .filter((one) => words.every((word) => all(one).includes(word)))
    .sort(
      (a, b) =>
        Number(b.name.toLowerCase().startsWith(first)) - Number(a.name.toLowerCase().startsWith(first)),
    );
}
