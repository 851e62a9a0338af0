import { createContext, useContext } from "react";
import { createStore, type Store } from "@/app/store";

/** What charts and table share: which experiment is spoken of now, and how one is opened. */
export type Link = { hovered: Store<number | null>; open: (number: number) => void };

export function createLink(open: (number: number) => void): Link {
  return { hovered: createStore<number | null>(null), open };
}

export const LinkContext = createContext<Link>(createLink(() => undefined));

export function useLink(): Link {
  return useContext(LinkContext);
}
