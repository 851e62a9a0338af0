import type { ECharts } from "echarts/core";
import { type ComponentProps, useCallback, useEffect, useRef } from "react";
import { useStore } from "@/state/store";
import { Chart, queueRender } from "@/charts";
import { useHighlight } from "../highlight";
import { HOVERED } from "./style";

type Props = Omit<ComponentProps<typeof Chart>, "onReady"> & {
  /** Data of the hovered experiment. A stable function. */
  overlay: (number: number | null) => unknown[];
  overlayType: "line" | "scatter" | "parallel";
  /** Adds further listeners. */
  onReady?: (chart: ECharts) => void;
};

/** A chart linked to the table and other charts: hovering marks an experiment in all, a click opens it. */
export function LinkedChart({ overlay, overlayType, onReady, ...props }: Props) {
  const { hovered, open } = useHighlight();
  const number = useStore(hovered);
  const chart = useRef<ECharts | null>(null);

  useEffect(() => {
    if (chart.current === null) return; // not drawn yet
    const series = [{ id: HOVERED, type: overlayType, data: overlay(number) }];
    return queueRender(() => chart.current?.setOption({ series }));
  }, [number, overlay, overlayType]);

  const ready = useCallback(
    (made: ECharts) => {
      chart.current = made;
      made.on("mouseover", (event) => hovered.set(numberOf(event) ?? hovered.get()));
      made.on("mouseout", () => hovered.set(null));
      made.on("click", (event) => {
        const clicked = numberOf(event);
        if (clicked !== null) open(clicked);
      });
      onReady?.(made);
      return () => {
        chart.current = null;
      };
    },
    [hovered, open, onReady],
  );
  return <Chart {...props} onReady={ready} />;
}

function numberOf(event: { data?: unknown }): number | null {
  const { data } = event;
  return typeof data === "object" && data !== null && "number" in data && typeof data.number === "number"
    ? data.number
    : null;
}
