/** A task while it is written: one text, which form and YAML both show and change. Pure. */

import { type ParsedYaml, get, type Path, read, set } from "@/yaml/document";

export type EditorState = {
  draft: ParsedYaml;
  /** As it was last saved or begun. */
  saved: string;
  /** Fields that were left once: what is missing there is said from then on. */
  touched: ReadonlySet<string>;
  /** It was to be saved: every problem is said. */
  attempted: boolean;
};

export type EditorAction =
  | { kind: "typed"; text: string }
  | { kind: "set"; path: Path; value: unknown }
  | { kind: "left"; path: Path }
  | { kind: "attempted" };

export const initialState = (text: string, saved = text): EditorState => ({
  draft: read(text),
  saved,
  touched: new Set(),
  attempted: false,
});

export function reduce(state: EditorState, action: EditorAction): EditorState {
  switch (action.kind) {
    case "typed":
      return action.text === state.draft.text ? state : { ...state, draft: read(action.text) };
    case "set":
      return { ...state, draft: read(set(state.draft.text, action.path, action.value)) };
    case "left":
      return { ...state, touched: new Set([...state.touched, action.path.join(".")]) };
    case "attempted":
      return { ...state, attempted: true };
  }
}

/** Nobody is told that a field is empty before he was there. */
export function showsProblem({ draft, touched, attempted }: EditorState, path: Path): boolean {
  const value = get(draft.data, path);
  return attempted || !isEmpty(value) || touched.has(path.join("."));
}

const isEmpty = (value: unknown) =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
