import {
  type ColumnDef,
  getCoreRowModel,
  type OnChangeFn,
  type RowData,
  type SortingState,
  useReactTable,
  type VisibilityState,
} from "@tanstack/react-table";
import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { Fragment, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { cx } from "./cx";
import { sortRows } from "./sortRows";
import { TableHead } from "./TableHead";
import { TableRow } from "./TableRow";
import { useRowKeys } from "./useRowKeys";

declare module "@tanstack/react-table" {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the names are the library's
  interface ColumnMeta<TData extends RowData, TValue> {
    /** Numbers stand at the right. */
    align?: "right";
    /** Takes the remaining width. */
    grow?: boolean;
  }
}

export type { ColumnDef, SortingState, VisibilityState } from "@tanstack/react-table";

type Props<T> = {
  label: string;
  data: readonly T[];
  /** Width by `size` in pixels, what is at the right or grows by `meta`. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- columns of one table have values of different types
  columns: ColumnDef<T, any>[];
  rowId: (row: T) => string;
  /** Enter, or a click that hits no control. */
  onOpen?: (row: T) => void;
  onHover?: (row: T | null) => void;
  /** The row marked by another part of the page. */
  highlighted?: string | null;
  rowClass?: (row: T) => string | undefined;
  /** The first row stays in view while the others scroll; it needs a background by `rowClass`. */
  pinned?: boolean;
  initialSorting?: SortingState;
  /** The caller sorts the data: both are needed. */
  sorting?: SortingState;
  onSortingChange?: OnChangeFn<SortingState>;
  columnVisibility?: VisibilityState;
  /** Shown without rows. */
  empty?: ReactNode;
  /** Scrolls inside this height, as CSS writes it; `fill`: the room there is, in a flex column. */
  height?: string;
  /** Scrolled near the end: load more rows. */
  onEnd?: () => void;
};

export const ROW_PX = 36;
const OVERSCAN = 12;

/** Virtualized table: only visible rows are rendered. Arrow keys move, Enter opens, headers sort. */
export function Table<T>(props: Props<T>) {
  const { label, data, columns, rowId, height = "fill", empty, onEnd } = props;
  const [own, setOwn] = useState<SortingState>(props.initialSorting ?? []);
  const ordered = useMemo(
    () => (props.sorting ? data : sortRows(data, columns, own[0])),
    [data, columns, props.sorting, own],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: ordered.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    rangeExtractor: props.pinned ? withFirst : defaultRangeExtractor,
    initialRect: { width: 0, height: 640 },
  });
  const shown = virtual.getVirtualItems();
  // Only visible rows go to the table library: its row objects are expensive, and data changes with each event.
  const drawn = useMemo(
    () => shown.flatMap(({ index }) => ordered.slice(index, index + 1)),
    [ordered, shown],
  );
  const table = useReactTable({
    data: drawn,
    columns,
    getRowId: rowId,
    state: { sorting: props.sorting ?? own, columnVisibility: props.columnVisibility ?? {} },
    onSortingChange: props.onSortingChange ?? setOwn,
    manualSorting: true,
    enableSortingRemoval: false,
    getCoreRowModel: getCoreRowModel(),
  });
  const { rows } = table.getRowModel();
  const keys = useRowKeys(scroller, ordered.length, (index) => virtual.scrollToIndex(index));
  const last = shown.at(-1)?.index ?? -1;
  useEffect(() => {
    if (onEnd && last >= ordered.length - OVERSCAN) onEnd();
  }, [last, ordered.length, onEnd]);

  const leaves = table.getVisibleLeafColumns();
  const width = leaves.reduce((sum, column) => sum + column.getSize(), 0);
  const grows = leaves.some((column) => column.columnDef.meta?.grow);
  const [first, ...rest] = shown;
  const above = (props.pinned ? (rest[0]?.start ?? ROW_PX) - ROW_PX : first?.start) ?? 0;
  const below = virtual.getTotalSize() - (shown.at(-1)?.end ?? 0);
  return (
    <div
      ref={scroller}
      className={cx("relative overflow-auto", height === "fill" && "min-h-0 flex-1")}
      style={height === "fill" ? undefined : { maxHeight: height }}
      onKeyDown={keys.onKeyDown}
      onMouseLeave={props.onHover && (() => props.onHover?.(null))}
    >
      <table
        aria-label={label}
        aria-rowcount={ordered.length + 1}
        className="table-fixed border-separate border-spacing-0 text-sm"
        style={{ width: grows ? "100%" : undefined, minWidth: width }}
      >
        <colgroup>
          {leaves.map((column) => (
            <col
              key={column.id}
              style={column.columnDef.meta?.grow ? undefined : { width: column.getSize() }}
            />
          ))}
        </colgroup>
        <TableHead table={table} />
        <tbody>
          {!props.pinned && above > 0 && <tr aria-hidden="true" style={{ height: above }} />}
          {shown.map(({ index }, place) => {
            const row = rows[place];
            const stays = props.pinned && index === 0;
            return (
              row && (
                <Fragment key={row.id}>
                  <TableRow
                    row={row}
                    index={index}
                    focusable={index === keys.current}
                    highlighted={props.highlighted === row.id}
                    className={cx(stays && "sticky top-8 z-1", props.rowClass?.(row.original))}
                    onOpen={props.onOpen}
                    onHover={props.onHover}
                  />
                  {stays && above > 0 && <tr aria-hidden="true" style={{ height: above }} />}
                </Fragment>
              )
            );
          })}
          {below > 0 && <tr aria-hidden="true" style={{ height: below }} />}
          {ordered.length === 0 && (
            <tr>
              <td colSpan={leaves.length}>{empty}</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

/** The visible range and always the first row. */
function withFirst(range: Range): number[] {
  const shown = defaultRangeExtractor(range);
  return shown[0] === 0 ? shown : [0, ...shown];
}
