import { type KeyboardEvent, type RefObject, useState } from "react";

const PAGE = 10;

/** Roving focus of a table's rows by arrow keys, Page, Home and End, also to rows that are not rendered yet. */
export function useRowKeys(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  show: (index: number) => void,
): { current: number; onKeyDown: (event: KeyboardEvent) => void } {
  const [wanted, setWanted] = useState(0);
  const current = Math.max(0, Math.min(wanted, count - 1));

  const onKeyDown = (event: KeyboardEvent) => {
    const row = (event.target as Element).closest<HTMLElement>("tr[data-row]");
    if (!row || event.target !== row) return;
    const at = Number(row.dataset.row);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + PAGE,
      PageUp: at - PAGE,
      Home: 0,
      End: count - 1,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(step, count - 1));
    setWanted(next);
    show(next);
    focusWhenDrawn(scroller, next);
  };
  return { current, onKeyDown };
}

const ATTEMPTS = 20;

function focusWhenDrawn(scroller: RefObject<HTMLElement | null>, index: number, attempts = ATTEMPTS): void {
  const row = scroller.current?.querySelector<HTMLElement>(`tr[data-row="${index}"]`);
  if (row) row.focus();
  else if (attempts > 0) requestAnimationFrame(() => focusWhenDrawn(scroller, index, attempts - 1));
}
