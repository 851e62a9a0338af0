import { flexRender, type Header, type Table } from "@tanstack/react-table";
import { ArrowDown, ArrowUp } from "lucide-react";
import { cx } from "./cx";

const ARIA = { asc: "ascending", desc: "descending" } as const;

export function TableHead<T>({ table }: { table: Table<T> }) {
  return (
    <thead>
      {table.getHeaderGroups().map((group) => (
        <tr key={group.id} aria-rowindex={1}>
          {group.headers.map((header) => (
            <Cell key={header.id} header={header} />
          ))}
        </tr>
      ))}
    </thead>
  );
}

function Cell<T>({ header }: { header: Header<T, unknown> }) {
  const { column } = header;
  const sorted = column.getIsSorted();
  const right = column.columnDef.meta?.align === "right";
  const text = header.isPlaceholder ? null : flexRender(column.columnDef.header, header.getContext());
  return (
    <th
      scope="col"
      aria-sort={sorted ? ARIA[sorted] : undefined}
      className={cx(
        "sticky top-0 z-2 h-8 border-b border-line bg-surface px-0 text-xs font-medium text-muted",
        right ? "text-right" : "text-left",
      )}
    >
      {column.getCanSort() ? (
        <button
          type="button"
          onClick={column.getToggleSortingHandler()}
          className={cx(
            "focus-inset group flex h-8 w-full items-center gap-1 px-3 font-medium hover:text-text",
            right && "flex-row-reverse",
            sorted && "text-text",
          )}
        >
          <span className="truncate">{text}</span>
          <Arrow sorted={sorted} />
        </button>
      ) : (
        <span className="block truncate px-3">{text}</span>
      )}
    </th>
  );
}

function Arrow({ sorted }: { sorted: false | "asc" | "desc" }) {
  const Icon = sorted === "desc" ? ArrowDown : ArrowUp;
  return (
    <Icon
      aria-hidden="true"
      className={cx(
        "size-3 shrink-0",
        sorted ? "" : "opacity-0 group-hover:opacity-60 group-focus-visible:opacity-60",
      )}
    />
  );
}
