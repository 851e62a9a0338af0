import { createContext, useContext } from "react";

/** Attributes that a Field passes to its control. */
export type FieldLink = {
  id?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
  required?: boolean;
};

export const FieldContext = createContext<FieldLink>({});

export function useField(): FieldLink {
  return useContext(FieldContext);
}

const BASE =
  "w-full min-w-0 rounded-md border bg-surface text-sm text-text disabled:opacity-60 " +
  "focus-visible:outline-offset-0 [&[readonly]]:bg-sunken";

export function controlClass(invalid: boolean | undefined): string {
  return `${BASE} ${invalid ? "border-bad" : "border-line hover:border-line-strong"}`;
}
