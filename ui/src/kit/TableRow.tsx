import { flexRender, type Row } from "@tanstack/react-table";
import type { KeyboardEvent, MouseEvent } from "react";
import { cx } from "./cx";

type Props<T> = {
  row: Row<T>;
  index: number;
  focusable: boolean;
  highlighted: boolean;
  className?: string;
  onOpen?: (row: T) => void;
  onHover?: (row: T | null) => void;
};

const CONTROLS = "a, button, input, select, textarea, label, [role=menuitem]";

export function TableRow<T>({ row, index, focusable, highlighted, className, onOpen, onHover }: Props<T>) {
  const click = (event: MouseEvent) => {
    const text = window.getSelection()?.toString();
    if (!text && !(event.target as Element).closest(CONTROLS)) onOpen?.(row.original);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "Enter" && event.target === event.currentTarget) onOpen?.(row.original);
  };
  return (
    <tr
      data-row={index}
      aria-rowindex={index + 2}
      tabIndex={focusable ? 0 : -1}
      onClick={onOpen && click}
      onKeyDown={onOpen && key}
      onMouseEnter={onHover && (() => onHover(row.original))}
      onFocus={onHover && (() => onHover(row.original))}
      className={cx(
        "focus-inset group/row h-9",
        onOpen && "cursor-pointer",
        highlighted ? "bg-accent-soft" : "hover:bg-hover",
        className,
      )}
    >
      {row.getVisibleCells().map((cell) => (
        <td
          key={cell.id}
          className={cx(
            "h-9 truncate border-b border-line px-3",
            cell.column.columnDef.meta?.align === "right" && "text-right",
          )}
        >
          {flexRender(cell.column.columnDef.cell, cell.getContext())}
        </td>
      ))}
    </tr>
  );
}
