import { useState } from "react";
import { useLocation, useNavigationType, useSearchParams } from "react-router";
import { type Filter, isGroup } from "./rows";

const KEYS: Record<keyof Filter, string> = { group: "state", engine: "engine", text: "q" };

function filterOf(params: URLSearchParams): Filter {
  const group = params.get(KEYS.group);
  return {
    group: isGroup(group) ? group : "all",
    engine: params.get(KEYS.engine) ?? "",
    text: params.get(KEYS.text) ?? "",
  };
}

function paramsOf(filter: Filter): URLSearchParams {
  const said = Object.entries(filter).filter(([, value]) => value !== "" && value !== "all");
  return new URLSearchParams(said.map(([key, value]) => [KEYS[key as keyof Filter], value]));
}

/** The filter of the task list, kept in the URL. */
export function useFilter(): [Filter, (change: Partial<Filter>) => void] {
  const [params, setParams] = useSearchParams();
  const { key } = useLocation();
  const how = useNavigationType();
  // State of its own: the URL is updated later than a key is pressed. Navigation resets it.
  const [held, setHeld] = useState(() => ({ key, filter: filterOf(params) }));
  if (held.key !== key && how !== "REPLACE") setHeld({ key, filter: filterOf(params) });
  const { filter } = held;
  const change = (part: Partial<Filter>) => {
    const next = { ...filter, ...part };
    setHeld({ ...held, filter: next });
    setParams(paramsOf(next), { replace: true });
  };
  return [filter, change];
}
