import { createContext, useContext } from "react";
import type { JsonObject, Path } from "@/yaml/document";

/** The task that the fields of the form show and change. */
export type Form = {
  data: JsonObject;
  set: (path: Path, value: unknown) => void;
  /** The field was left. */
  leave: (path: Path) => void;
  /** What is wrong there, once it is time to say so. */
  problem: (path: Path) => string | undefined;
};

export const FormContext = createContext<Form | null>(null);

export function useForm(): Form {
  const form = useContext(FormContext);
  if (!form) throw new Error("A field of the task form stands outside of it.");
  return form;
}
