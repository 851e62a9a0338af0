import { Download, Table2 } from "lucide-react";
import { type ReactNode, useId, useRef, useState } from "react";
import { cx, IconButton, Menu } from "@/kit";
import { ChartTable, type Rows } from "./ChartTable";
import type { Palette } from "./palette";
import { savePng, saveSvg } from "./save";
import { type ChartOption, type OnReady, useChart } from "./useChart";

type Props = {
  title: string;
  /** Text alternative for screen readers, with the numbers. */
  summary: string;
  /** ECharts option. A stable function: the chart is redrawn when it changes. */
  option: (palette: Palette) => ChartOption;
  /** The data as a table. */
  table: Rows;
  /** In pixels. */
  height?: number;
  /** Of saved files, without an ending; the title otherwise. */
  name?: string;
  onReady?: OnReady;
  /** Left of the buttons: which metric, log axis, … */
  controls?: ReactNode;
  className?: string;
};

export function Chart({
  title,
  summary,
  option,
  table,
  height = 320,
  name = title,
  onReady,
  controls,
  className,
}: Props) {
  const id = useId();
  const place = useRef<HTMLDivElement>(null);
  const [asTable, setAsTable] = useState(false);
  const drawn = useChart(place, option, onReady);
  const save = (how: typeof savePng) => () => drawn && void how(drawn.chart, drawn.palette, name);
  return (
    <figure className={cx("min-w-0", className)} aria-labelledby={id}>
      <figcaption className="mb-1 flex min-h-8 flex-wrap items-center gap-2">
        <span id={id} className="min-w-0 text-sm font-semibold">
          {title}
        </span>
        <span className="ml-auto flex flex-wrap items-center gap-1">
          {controls}
          <IconButton
            size="sm"
            label={asTable ? "Show as chart" : "Show as table"}
            aria-pressed={asTable}
            icon={<Table2 className="size-4" />}
            onClick={() => setAsTable(!asTable)}
          />
          <Menu
            label="Save chart"
            trigger={
              <IconButton
                size="sm"
                tooltip={false}
                label="Save chart"
                icon={<Download className="size-4" />}
                disabled={!drawn}
              />
            }
            items={[
              { label: "PNG", onSelect: save(savePng) },
              { label: "SVG", onSelect: save(saveSvg) },
            ]}
          />
        </span>
      </figcaption>
      <div className="relative" style={{ height }}>
        <div
          ref={place}
          role="img"
          aria-label={`${title}. ${summary}`}
          className={cx("absolute inset-0", asTable && "invisible", !drawn && "skeleton")}
        />
        {asTable && (
          <div className="absolute inset-0">
            <ChartTable label={title} {...table} />
          </div>
        )}
      </div>
    </figure>
  );
}
