import { within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { show } from "@/test/page";
import { type ColumnDef, Table } from "./Table";

type Row = { id: string; name: string; rate: number };
const ROWS: Row[] = Array.from({ length: 2000 }, (_, index) => ({
  id: `r${index}`,
  name: `row ${index}`,
  rate: (index * 7) % 2000,
}));
const COLUMNS: ColumnDef<Row, string>[] = [
  { id: "name", header: "Name", accessorKey: "name", meta: { grow: true } },
  { id: "rate", header: "Rate", accessorKey: "rate", meta: { align: "right" } },
];

const table = (props: Partial<Parameters<typeof Table<Row>>[0]> = {}) => (
  <Table label="Rows" data={ROWS} columns={COLUMNS} rowId={(row) => row.id} height="400px" {...props} />
);

test("of 2,000 rows those are drawn that are seen, and all are counted", () => {
  const { getByRole, getAllByRole } = show(table());
  expect(getByRole("table", { name: "Rows" })).toHaveAttribute("aria-rowcount", "2001");
  expect(getAllByRole("row").length).toBeLessThan(100);
});

test("a header sorts by its column, and back", async () => {
  const { getByRole, getAllByRole, user } = show(table());
  const first = () => within(getAllByRole("row")[1] as HTMLElement).getAllByRole("cell")[1]?.textContent;
  await user.click(getByRole("button", { name: "Rate" }));
  expect(getByRole("columnheader", { name: "Rate" })).toHaveAttribute("aria-sort", "descending");
  expect(first()).toBe("1999");
  await user.click(getByRole("button", { name: "Rate" }));
  expect(getByRole("columnheader", { name: "Rate" })).toHaveAttribute("aria-sort", "ascending");
  expect(first()).toBe("0");
});

test("arrows move, Enter opens", async () => {
  const onOpen = vi.fn<(row: Row) => void>();
  const { getAllByRole, user } = show(table({ onOpen }));
  (getAllByRole("row")[1] as HTMLElement).focus();
  await user.keyboard("{ArrowDown}{ArrowDown}{ArrowUp}");
  expect(document.activeElement).toHaveTextContent("row 1");
  await user.keyboard("{Enter}");
  expect(onOpen.mock.calls.map(([row]) => row.id)).toEqual(["r1"]);
  expect(getAllByRole("row").filter((row) => row.tabIndex === 0)).toHaveLength(1);
});

test("a click on a control of a row opens nothing else", async () => {
  const onOpen = vi.fn<(row: Row) => void>();
  const cell = () => <button type="button">Act</button>;
  const columns = [...COLUMNS, { id: "act", header: "Act", cell, enableSorting: false }];
  const { getAllByRole, getByText, user } = show(table({ data: ROWS.slice(0, 3), columns, onOpen }));
  await user.click(getAllByRole("button", { name: "Act" })[0] as HTMLElement);
  expect(onOpen).not.toHaveBeenCalled();
  await user.click(getByText("row 2"));
  expect(onOpen.mock.calls.map(([row]) => row.id)).toEqual(["r2"]);
});

test("without rows it says why, and axe finds nothing", async () => {
  const { container, getByText, rerender } = show(table({ data: [], empty: <p>None yet</p> }));
  expect(getByText("None yet")).toBeVisible();
  await expect(container).toBeAccessible();
  rerender(<div />);
  await expect(show(table()).container).toBeAccessible();
});
