import type { ECharts, EChartsCoreOption } from "echarts/core";
import { type RefObject, useEffect, useEffectEvent, useRef, useState } from "react";
import { useTheme } from "@/state/theme";
import { type Palette, readPalette } from "./palette";
import { chartTheme } from "./theme";
import { queueRender } from "./renderQueue";

export type ChartOption = EChartsCoreOption;
/** Adds listeners to a chart; may return a clean-up. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- as React's effects: who has nothing to undo returns nothing
export type OnReady = (chart: ECharts) => (() => void) | void;
export type Drawn = { chart: ECharts; palette: Palette };

/** Draws a chart in an element, in the current theme and the element's size. Null until ECharts is loaded. */
export function useChart(
  element: RefObject<HTMLElement | null>,
  option: (palette: Palette) => ChartOption,
  onReady?: OnReady,
): Drawn | null {
  const theme = useTheme();
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const shown = useRef(option);
  const newest = useEffectEvent(() => option);
  const ready = useEffectEvent((chart: ECharts) => onReady?.(chart));

  useEffect(() => {
    const place = element.current;
    if (!place) return;
    let chart: ECharts | undefined;
    let undo: ReturnType<OnReady>;
    let left = false;
    const resized = new ResizeObserver(() => {
      // Also called for the initial size.
      if (chart && (chart.getWidth() !== place.clientWidth || chart.getHeight() !== place.clientHeight))
        chart.resize();
    });
    const dequeue = queueRender(async () => {
      const { init } = await import("./echarts");
      if (left) return;
      const palette = readPalette();
      chart = init(place, chartTheme(palette), { renderer: "canvas" });
      shown.current = newest();
      chart.setOption(withAnimation(shown.current(palette)));
      // After the first option: series without axes are an error.
      undo = ready(chart);
      resized.observe(place);
      setDrawn({ chart, palette });
    });
    return () => {
      left = true;
      dequeue();
      resized.disconnect();
      undo?.();
      chart?.dispose();
      setDrawn(null);
    };
  }, [element, theme]);

  useEffect(() => {
    if (!drawn || shown.current === option) return;
    return queueRender(() => {
      if (drawn.chart.isDisposed()) return;
      shown.current = option;
      drawn.chart.setOption(withAnimation(option(drawn.palette)), { replaceMerge: ["series"] });
    });
  }, [drawn, option]);
  return drawn;
}

/** Short animations; none with prefers-reduced-motion or more than 100 points. */
export function withAnimation(option: ChartOption): ChartOption {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    animationDuration: 250,
    animationDurationUpdate: 250,
    animationThreshold: 100,
    ...option,
    ...(still ? { animation: false } : {}),
  };
}
