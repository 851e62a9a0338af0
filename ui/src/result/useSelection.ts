import { useCallback, useEffect, useState } from "react";
import { useSearchParams } from "react-router";

/** The opened and compared experiments, kept in the URL. */
export function useSelection(most: number) {
  const [params, setParams] = useSearchParams();
  const list = params.get("compare") ?? "";
  // State of its own: the URL is updated later than a box is ticked.
  const [compared, setCompared] = useState(() => numbersOf(list).slice(0, most));
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
  useEffect(() => {
    if (compared.join(",") !== list) set("compare", compared.join(","), true);
  }, [compared, list, set]);
  return {
    compared,
    opened,
    comparing: params.has("side-by-side"),
    open: useCallback(
      (number: number | null) => set("experiment", number === null ? null : String(number)),
      [set],
    ),
    compare: useCallback(
      (number: number, on: boolean) =>
        setCompared((before) =>
          [...before.filter((one) => one !== number), ...(on ? [number] : [])].slice(0, most),
        ),
      [most],
    ),
    setComparing: useCallback((on: boolean) => set("side-by-side", on ? "yes" : null), [set]),
  };
}

function numbersOf(list: string): number[] {
  return list.split(",").filter(Boolean).map(Number).filter(Number.isInteger);
}
