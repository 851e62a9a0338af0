import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

/** What is opened and compared stands in the address: it can be sent to others, and Back undoes it. */
export function useChosen(most: number) {
  const [params, setParams] = useSearchParams();
  const list = params.get("compare");
  const compared = useMemo(() => (list ?? "").split(",").filter(Boolean).map(Number).filter(Number.isInteger).slice(0, most), [list, most]);
  const opened = params.has("experiment") ? Number(params.get("experiment")) : null;
  const set = useCallback(
    (name: string, value: string | null, replace = false) =>
      setParams(
        (before) => {
          const next = new URLSearchParams(before);
          if (value === null || value === "") next.delete(name);
          else next.set(name, value);
          return next;
        },
        { replace, preventScrollReset: true },
      ),
    [setParams],
  );
  return {
    compared,
    opened,
    comparing: params.has("side-by-side"),
    open: useCallback((number: number | null) => set("experiment", number === null ? null : String(number)), [set]),
    setCompared: useCallback((numbers: readonly number[]) => set("compare", numbers.join(","), true), [set]),
    setComparing: useCallback((on: boolean) => set("side-by-side", on ? "yes" : null), [set]),
  };
}
