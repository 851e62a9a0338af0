import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useDebounced } from "@/kit";
import { audit, entry } from "./entries";
import { EVERYTHING, type Filter } from "./filter";

const DEBOUNCE_MS = 200;

/** The loaded entries of a filter, and the opened one. */
export function useAudit(filter: Filter, opened: string | null) {
  const text = useDebounced(filter.text, DEBOUNCE_MS);
  const found = useInfiniteQuery(audit({ ...filter, text }));
  // The newest of all tell which tools there are.
  const newest = useInfiniteQuery(audit(EVERYTHING));
  const entries = useMemo(() => found.data?.pages.flat() ?? [], [found.data]);
  const recent = useMemo(() => newest.data?.pages.flat() ?? [], [newest.data]);
  const sequence = opened !== null && /^\d{1,9}$/.test(opened) ? Number(opened) : null;
  const here = entries.find((one) => one.sequence === sequence);
  const elsewhere = useQuery({
    ...entry(sequence ?? 0),
    enabled: sequence !== null && !here && found.isSuccess,
  });
  return { found, entries, recent, opened: sequence === null ? null : (here ?? elsewhere.data ?? null) };
}
