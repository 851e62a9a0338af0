import { createContext, useContext } from "react";
import { createStore, type Store } from "@/state/store";

/** Shared by charts and table: the hovered experiment, and a function to open one. */
export type Highlight = { hovered: Store<number | null>; open: (number: number) => void };

export function createHighlight(open: (number: number) => void): Highlight {
  return { hovered: createStore<number | null>(null), open };
}

export const HighlightContext = createContext<Highlight>(createHighlight(() => undefined));

export function useHighlight(): Highlight {
  return useContext(HighlightContext);
}
