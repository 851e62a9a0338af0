import { Columns3, GitCompareArrows } from "lucide-react";
import { useMemo, useState } from "react";
import { useStore } from "@/state/store";
import { count } from "@/format";
import { Button, Card, Empty, Select, type SortingState, Table } from "@/kit";
import { useHighlight } from "../highlight";
import type { Row } from "../rows";
import type { Result } from "../types";
import { fields } from "./cells";
import { sorted } from "./sort";
import { columns } from "./columns";
import { ColumnMenu } from "./ColumnMenu";
import { type Filter, FILTERS, kept } from "./filter";

type Props = {
  result: Result;
  rows: readonly Row[];
  /** Experiments selected in a chart; null: all. */
  marked: Set<number> | null;
  compared: readonly number[];
  most: number;
  onCompare: (number: number, on: boolean) => void;
  onShowComparison: () => void;
};

/** Table of all experiments, the baseline pinned at the top. */
export function ExperimentsTable({
  result,
  rows,
  marked,
  compared,
  most,
  onCompare,
  onShowComparison,
}: Props) {
  const { hovered, open } = useHighlight();
  const highlighted = useStore(hovered);
  const [sorting, setSorting] = useState<SortingState>([{ id: "place", desc: false }]);
  const [filter, setFilter] = useState<Filter>("all");
  const all = useMemo(() => fields(result), [result]);
  const [hidden, setHidden] = useState<Record<string, boolean>>({});
  const visibility = useMemo(
    () => Object.fromEntries(all.map((one) => [one.id, hidden[one.id] ?? one.shown])),
    [all, hidden],
  );
  const shown = useMemo(
    () => sorted(kept(rows, filter, marked), sorting[0], all),
    [rows, filter, marked, sorting, all],
  );
  const made = useMemo(() => columns(all, { compared, most, onCompare }), [all, compared, most, onCompare]);
  return (
    <Card
      padded={false}
      title={
        <>
          Experiments{" "}
          <span className="num ml-1 text-sm font-normal text-muted">
            {shown.length === rows.length
              ? count(rows.length)
              : `${count(shown.length)} of ${count(rows.length)}`}
          </span>
        </>
      }
      actions={
        <>
          <Select
            aria-label="Which experiments"
            value={filter}
            onChange={setFilter}
            options={FILTERS}
            className="w-36 sm:w-40"
          />
          <ColumnMenu
            fields={all}
            visibility={visibility}
            onChange={(id, on) => setHidden({ ...hidden, [id]: on })}
            onReset={() => setHidden({})}
            icon={<Columns3 className="size-4" />}
          />
          <Button
            variant={compared.length > 1 ? "primary" : "plain"}
            disabled={compared.length < 2}
            icon={<GitCompareArrows className="size-4" />}
            onClick={onShowComparison}
          >
            Compare{compared.length > 0 && ` ${compared.length}`}
          </Button>
        </>
      }
    >
      <Table
        label="Experiments"
        data={shown}
        columns={made}
        rowId={(row) => row.id}
        sorting={sorting}
        onSortingChange={setSorting}
        columnVisibility={visibility}
        onOpen={(row) => open(row.number)}
        onHover={(row) => hovered.set(row?.number ?? null)}
        highlighted={highlighted === null ? null : String(highlighted)}
        rowClass={(row) => (row.kind === "baseline" ? "bg-sunken" : undefined)}
        pinned={shown[0]?.kind === "baseline"}
        height="30rem"
        empty={
          <Empty title="None of these">
            {filter === "all" ? "Nothing has been measured." : "Choose other experiments above."}
          </Empty>
        }
      />
    </Card>
  );
}
