import { useEffect, useMemo, useReducer } from "react";
import { get, read } from "@/yaml/document";
import { problemAt, type Place } from "../spec/places";
import type { Form } from "../form/context";
import { readUnsaved, writeUnsaved } from "./unsaved";
import { initialState, reduce, showsProblem } from "./state";
import { usePlan } from "./usePlan";

/** The editor's state with the plan and problems of its text. `name`: key of the unsaved text. */
export function useEditor(name: string, initial: string) {
  const [state, dispatch] = useReducer(reduce, null, () =>
    initialState(readUnsaved(name) ?? initial, initial),
  );
  const { draft, saved } = state;
  const plan = usePlan(draft.text);
  const found = plan.data?.problems;
  const problems = useMemo<readonly Place[]>(
    () => (draft.errors.length > 0 ? draft.errors.map((error) => ({ ...error, where: "" })) : (found ?? [])),
    [draft.errors, found],
  );
  // The text that the problems are of: a problem of a changed field is hidden until the next plan is there.
  const about = plan.data?.text;
  const checked = useMemo(() => (about === undefined ? null : read(about).data), [about]);
  const changed = draft.text !== saved;
  useEffect(() => {
    writeUnsaved(name, changed ? draft.text : null);
  }, [name, changed, draft.text]);
  const form = useMemo<Form>(
    () => ({
      data: draft.data ?? {},
      set: (path, value) => dispatch({ kind: "set", path, value }),
      leave: (path) => dispatch({ kind: "left", path }),
      problem: (path) => {
        const changed = said(get(checked, path)) !== said(get(draft.data, path));
        return showsProblem(state, path) && !changed ? problemAt(problems, path) : undefined;
      },
    }),
    [draft.data, state, problems, checked],
  );
  return { state, dispatch, plan, problems, form, changed };
}

const said = (value: unknown) => JSON.stringify(value);
