import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import { useEffect, useRef } from "react";
import { IconButton } from "@/kit";
import { useConversation } from "../conversation";
import type { Entry, Thread } from "../thread/model";
import { isThinking } from "../thread/selectors";
import { EndRow, Row } from "./Row";
import { useStayAtEnd } from "./useStayAtEnd";
import { Thinking } from "./Thinking";

const GUESS: Record<Entry["kind"], number> = { user: 72, text: 120, call: 38, notice: 40, end: 28 };

type Props = {
  thread: Thread;
  /** Rows that stay mounted out of sight: they hold input. */
  kept: readonly number[];
};

/** The virtualized thread; it stays scrolled to its end while it grows. */
export function ThreadView({ thread, kept }: Props) {
  const { entries } = thread;
  const { editing, waiting } = useConversation();
  const scroller = useRef<HTMLDivElement>(null);
  const edited = editing === null ? -1 : entries.findIndex((entry) => entry.id === editing);
  const list = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    getItemKey: (place) => entries[place]?.id ?? place,
    estimateSize: (place) => GUESS[entries[place]?.kind ?? "end"],
    rangeExtractor: (range: Range) => {
      const shown = new Set(defaultRangeExtractor(range));
      for (const place of [...kept, edited]) if (place >= 0) shown.add(place);
      return [...shown].sort((a, b) => a - b);
    },
    overscan: 8,
    gap: 12,
    paddingStart: 20,
    paddingEnd: 60,
  });

  const { away, toEnd } = useStayAtEnd(scroller, list);
  const asked = entries.findLast((entry) => entry.kind === "user")?.id;
  useEffect(() => {
    // Whoever has just said or decided something wants to see what comes of it.
    if (asked !== undefined && !waiting) toEnd();
  }, [asked, waiting, toEnd]);

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        className="focus-inset h-full overflow-y-auto [overflow-anchor:none]"
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Conversation"
        onKeyDown={(event) => {
          // The browser's own scrolling ends early: measured rows are higher than estimated.
          if (event.key !== "Home" || event.target !== event.currentTarget) return;
          event.preventDefault();
          list.scrollToOffset(0);
        }}
      >
        <div className="relative w-full" style={{ height: list.getTotalSize() }}>
          {list.getVirtualItems().map((item) => {
            const entry = entries[item.index];
            return (
              <div
                key={item.key}
                ref={list.measureElement}
                data-index={item.index}
                className="absolute left-0 top-0 w-full px-4 md:px-6"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <div className="mx-auto w-full max-w-3xl">
                  {entry?.kind === "end" ? (
                    <EndRow entries={entries} place={item.index} />
                  ) : (
                    entry && <Row entry={entry} />
                  )}
                </div>
              </div>
            );
          })}
          {/* Room is kept for it, so that nothing moves when it comes and goes. */}
          {isThinking(thread) && (
            <div className="absolute inset-x-0 bottom-4 px-4 md:px-6">
              <Thinking />
            </div>
          )}
        </div>
      </div>
      {away && (
        <div className="pointer-events-none absolute inset-x-0 bottom-3 flex justify-center">
          <IconButton
            variant="plain"
            label="To the newest"
            icon={<ArrowDown className="size-4" />}
            onClick={toEnd}
            className="pointer-events-auto rounded-full shadow-raised"
          />
        </div>
      )}
    </div>
  );
}
