import { createContext, useContext } from "react";
import { createStore, type Store } from "@/state/store";

/** What charts and table share: which experiment is spoken of now, and how one is opened. */
export type Highlight = { hovered: Store<number | null>; open: (number: number) => void };

export function createHighlight(open: (number: number) => void): Highlight {
  return { hovered: createStore<number | null>(null), open };
}

export const HighlightContext = createContext<Highlight>(createHighlight(() => undefined));

export function useHighlight(): Highlight {
  return useContext(HighlightContext);
}
