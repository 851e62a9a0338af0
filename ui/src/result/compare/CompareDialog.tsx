import { X } from "lucide-react";
import { useState } from "react";
import { cx, Dialog, IconButton, TEXT_CLASS, Switch } from "@/kit";
import type { Row } from "../rows";
import { KindMark } from "../table/KindMark";
import type { Result } from "../types";
import { type ComparedRow, comparison } from "./compare";

type Props = {
  result: Result;
  contenders: readonly Row[];
  onRemove: (number: number) => void;
  onClose: () => void;
};

/** Two to six configurations side by side, the baseline first. */
export function CompareDialog({ result, contenders, onRemove, onClose }: Props) {
  const [all, setAll] = useState(false);
  const sections = comparison(result, contenders);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      size="xl"
      title="Comparison"
      detail="Beside the first one; what differs is marked."
    >
      <label className="mb-2 flex items-center gap-2 text-sm">
        <Switch checked={all} onChange={setAll} aria-label="Show parameters that are equal, too" />
        Equal parameters, too
      </label>
      <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Comparison">
        <table className="w-full border-separate border-spacing-0 text-sm">
          <thead>
            <tr>
              <th
                scope="col"
                className="sticky left-0 z-1 min-w-28 border-b border-line bg-raised sm:min-w-36"
              >
                <span className="sr-only">What</span>
              </th>
              {contenders.map((row) => (
                <th
                  key={row.id}
                  scope="col"
                  className="h-11 min-w-36 border-b border-line px-3 text-left font-normal"
                >
                  <span className="flex items-center justify-between gap-2">
                    <KindMark row={row} />
                    {row.kind !== "baseline" && (
                      <IconButton
                        size="sm"
                        label={`Leave out ${row.number}`}
                        icon={<X className="size-3.5" />}
                        onClick={() => onRemove(row.number)}
                      />
                    )}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          {sections.map((section) => (
            <tbody key={section.title}>
              <tr>
                <th
                  scope="colgroup"
                  colSpan={contenders.length + 1}
                  className="pb-1 pt-4 text-left text-xs font-medium text-muted"
                >
                  {section.title}
                </th>
              </tr>
              {section.rows
                .filter((row) => all || row.differs || section.title !== "Parameters")
                .map((row) => (
                  <Line key={row.name} row={row} mark={section.title === "Parameters"} />
                ))}
            </tbody>
          ))}
        </table>
      </div>
    </Dialog>
  );
}

function Line({ row, mark }: { row: ComparedRow; mark: boolean }) {
  return (
    <tr>
      <th
        scope="row"
        className={cx(
          "sticky left-0 z-1 border-b border-line bg-raised py-1.5 pr-3 text-left align-top font-normal",
          row.code && "font-mono text-xs leading-5",
        )}
      >
        <span
          className={cx("block", row.code && "break-all", mark && row.differs ? "text-text" : "text-muted")}
        >
          {row.name}
        </span>
      </th>
      {row.cells.map((cell, index) => (
        <td
          key={index}
          className={cx(
            "num border-b border-line px-3 py-1.5 align-top",
            mark && row.differs && cell.text !== row.cells[0]?.text && "bg-accent-soft font-medium",
          )}
        >
          <span className={cx(cell.text === "default" && "text-faint")}>{cell.text}</span>
          {cell.note && (
            <span className={cx("ml-2 whitespace-nowrap text-xs", TEXT_CLASS[cell.intent ?? "neutral"])}>
              {cell.note}
            </span>
          )}
        </td>
      ))}
    </tr>
  );
}
