import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { cx } from "@/kit";
import type { LogLevel, Line } from "./reduce";

type Props = {
  label: string;
  lines: readonly Line[];
  follow: boolean;
  wrap: boolean;
  search: string;
  /** Called when the reader scrolls away from the end or back. */
  onFollow: (follow: boolean) => void;
};

const INK: Record<LogLevel, string> = {
  error: "text-bad",
  warning: "text-warn",
  info: "",
  debug: "text-faint",
};
const LINE_PX = 20;
const NEAR_PX = 24;
const UP = ["ArrowUp", "PageUp", "Home"];

/** Virtualized lines of a log. */
export function LogView({ label, lines, follow, wrap, search, onFollow }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    getItemKey: (index) => lines[index]?.id ?? index,
    overscan: 20,
    initialRect: { width: 0, height: 400 },
  });
  const last = lines.at(-1)?.id;
  useEffect(() => {
    if (follow && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [follow, last, lines.length, virtual, wrap]);

  const atEnd = () => {
    const place = scroller.current;
    if (place && place.scrollHeight - place.scrollTop - place.clientHeight < NEAR_PX) onFollow(true);
  };
  const onKeyDown = (event: KeyboardEvent) => UP.includes(event.key) && onFollow(false);
  return (
    <div
      ref={scroller}
      role="log"
      aria-label={label}
      aria-live="off"
      tabIndex={0}
      className="focus-inset min-h-0 flex-1 overflow-auto bg-sunken py-1.5 font-mono text-xs leading-5"
      onWheel={(event) => event.deltaY < 0 && onFollow(false)}
      onTouchMove={() => onFollow(false)}
      onPointerDown={(event) => event.target === event.currentTarget && onFollow(false)}
      onKeyDown={onKeyDown}
      onScroll={atEnd}
    >
      <div
        className="relative min-w-full"
        style={{ height: virtual.getTotalSize(), width: wrap ? undefined : "max-content" }}
      >
        {/* In the flow, so that the longest line that is seen gives the width to scroll in. */}
        <div style={{ paddingTop: virtual.getVirtualItems()[0]?.start ?? 0 }}>
          {virtual.getVirtualItems().map((item) => {
            const line = lines[item.index];
            return (
              line && (
                <div
                  key={item.key}
                  ref={wrap ? virtual.measureElement : undefined}
                  data-index={item.index}
                  className={cx(
                    "min-h-5 px-3",
                    wrap ? "whitespace-pre-wrap break-words" : "whitespace-pre",
                    line.mark ? "font-sans font-semibold text-muted" : INK[line.level],
                  )}
                >
                  <Text text={line.text} search={search} />
                </div>
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Text({ text, search }: { text: string; search: string }) {
  const wanted = search.trim().toLowerCase();
  const at = wanted ? text.toLowerCase().indexOf(wanted) : -1;
  if (at < 0) return text;
  const end = at + wanted.length;
  return (
    <>
      {text.slice(0, at)}
      <mark className="rounded-sm bg-warn-soft text-inherit outline-1 outline-warn/50">
        {text.slice(at, end)}
      </mark>
      <Text text={text.slice(end)} search={search} />
    </>
  );
}
