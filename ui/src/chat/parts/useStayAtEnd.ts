import type { Virtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Distance from the end, in pixels, that counts as at the end. */
const NEAR = 48;
/** How long scrolling may continue after an input. */
const MOVES_MS = 1000;
const INPUTS = ["wheel", "touchmove", "keydown", "pointerdown", "pointermove"] as const;

/**
 * Keeps a list scrolled to its end while it grows or is resized, unless the reader has scrolled up. Only scrolls after
 * an input counts as the reader's: measuring rows scrolls, too.
 */
export function useStayAtEnd(
  scroller: RefObject<HTMLElement | null>,
  list: Virtualizer<HTMLDivElement, Element>,
) {
  const along = useRef(true);
  const [away, setAway] = useState(false);

  const toEnd = useCallback(() => {
    along.current = true;
    setAway(false);
    list.scrollToEnd();
  }, [list]);

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    let before = element.scrollTop;
    let moved = -MOVES_MS;
    const touched = (event: Event) => {
      // The pointer moves something only while it holds it: the scrollbar.
      if (event instanceof PointerEvent && event.buttons === 0) return;
      moved = performance.now();
    };
    const scrolled = () => {
      const near = isNear(element);
      const up = element.scrollTop < before - 1 && performance.now() - moved < MOVES_MS;
      before = element.scrollTop;
      if (near || up) along.current = near;
      setAway(!along.current);
    };
    // Stops while a form or an approval has the focus.
    const typing = (event: FocusEvent) => {
      if (event.target instanceof Element && event.target.matches("input, textarea, select, [data-approval]"))
        along.current = false;
    };
    // Stops when something is unfolded.
    const unfolded = (event: MouseEvent) => {
      if (event.target instanceof Element && event.target.closest("[aria-expanded], summary"))
        along.current = false;
    };
    const sized = new ResizeObserver(() => {
      if (along.current) toEnd();
      else setAway(!isNear(element));
    });
    for (const input of INPUTS) element.addEventListener(input, touched, { passive: true });
    element.addEventListener("focusin", typing);
    element.addEventListener("click", unfolded);
    element.addEventListener("scroll", scrolled, { passive: true });
    for (const one of [element, ...element.children]) sized.observe(one);
    return () => {
      for (const input of INPUTS) element.removeEventListener(input, touched);
      element.removeEventListener("focusin", typing);
      element.removeEventListener("click", unfolded);
      element.removeEventListener("scroll", scrolled);
      sized.disconnect();
    };
  }, [scroller, toEnd]);

  const height = list.getTotalSize();
  useLayoutEffect(() => {
    if (along.current) toEnd();
  }, [height, toEnd]);

  return { away, toEnd };
}

const isNear = (element: HTMLElement): boolean =>
  element.scrollHeight - element.clientHeight - element.scrollTop <= NEAR;
