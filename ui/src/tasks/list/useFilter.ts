import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import { type Filter, isGroup } from "./rows";

const KEYS: Record<keyof Filter, string> = { group: "state", engine: "engine", text: "q" };

/** What of the list is shown stands in the address: it can be kept, sent, and come back to. */
export function useFilter(): [Filter, (change: Partial<Filter>) => void] {
  const [params, setParams] = useSearchParams();
  const filter = useMemo<Filter>(() => {
    const group = params.get(KEYS.group);
    return {
      group: isGroup(group) ? group : "all",
      engine: params.get(KEYS.engine) ?? "",
      text: params.get(KEYS.text) ?? "",
    };
  }, [params]);
  const change = useCallback(
    (next: Partial<Filter>) =>
      setParams(
        (before) => {
          for (const [key, value] of Object.entries(next)) {
            const name = KEYS[key as keyof Filter];
            if (value === "" || value === "all") before.delete(name);
            else before.set(name, value);
          }
          return before;
        },
        { replace: true },
      ),
    [setParams],
  );
  return [filter, change];
}
