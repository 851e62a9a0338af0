import { createContext, useContext } from "react";
import type { JsonObject, Path } from "@/yaml/document";

/** What the form's fields read and change. */
export type Form = {
  data: JsonObject;
  set: (path: Path, value: unknown) => void;
  /** The field has lost the focus. */
  leave: (path: Path) => void;
  /** The problem to show at a path. */
  problem: (path: Path) => string | undefined;
};

export const FormContext = createContext<Form | null>(null);

export function useForm(): Form {
  const form = useContext(FormContext);
  if (!form) throw new Error("A field of the task form stands outside of it.");
  return form;
}
