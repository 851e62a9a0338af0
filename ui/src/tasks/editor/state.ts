/** State of the task editor: one text, changed by form and YAML. Pure. */

import { type ParsedYaml, get, type Path, read, set } from "@/yaml/document";

export type EditorState = {
  draft: ParsedYaml;
  /** The text as last saved, or initial. */
  saved: string;
  /** Paths of fields that have lost the focus once. */
  touched: ReadonlySet<string>;
  /** Saving was attempted: all problems are shown. */
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

/** Problems of empty fields are shown only after the field was visited or saving attempted. */
export function showsProblem({ draft, touched, attempted }: EditorState, path: Path): boolean {
  const value = get(draft.data, path);
  return attempted || !isEmpty(value) || touched.has(path.join("."));
}

const isEmpty = (value: unknown) =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
