import { useEffect } from "react";
import { createStore } from "./store";

/** Something that can be done from anywhere, by its name. */
export type Command = {
  id: string;
  name: string;
  /** The heading it stands under. */
  group: string;
  /** Further words it is found by. */
  words?: string;
  keys?: string;
  run: () => void;
};

export const paletteOpen = createStore(false);
export const openPalette = () => paletteOpen.set(true);

/** What the page that is open offers, beside what can be done everywhere. */
export const pageCommands = createStore<readonly Command[]>([]);

/** Adds commands to the palette while the component is there. Give the same array as long as they are the same. */
export function useCommands(commands: readonly Command[]): void {
  useEffect(() => {
    pageCommands.set([...pageCommands.get(), ...commands]);
    return () => pageCommands.set(pageCommands.get().filter((one) => !commands.includes(one)));
  }, [commands]);
}

/** Those in which every word is found; where it begins a name first. Pure. */
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
