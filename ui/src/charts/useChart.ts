import type { ECharts, EChartsCoreOption } from "echarts/core";
import { type RefObject, useEffect, useEffectEvent, useRef, useState } from "react";
import { useTheme } from "@/app/theme";
import { type Palette, readPalette } from "./palette";
import { chartTheme } from "./theme";
import { inTurn } from "./turns";

export type ChartOption = EChartsCoreOption;
/** Listens to a chart, as `chart.on("click", …)`; what it returns, if anything, undoes that. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- as React's effects: who has nothing to undo returns nothing
export type OnReady = (chart: ECharts) => (() => void) | void;
export type Drawn = { chart: ECharts; palette: Palette };

/** A chart in an element, in the theme that is shown, of the element's size. Null until the library has come. */
export function useChart(
  element: RefObject<HTMLElement | null>,
  option: (palette: Palette) => ChartOption,
  onReady?: OnReady,
): Drawn | null {
  const theme = useTheme();
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  const ready = useEffectEvent((chart: ECharts) => onReady?.(chart));
  const undo = useRef<ReturnType<OnReady>>(undefined);

  useEffect(() => {
    const place = element.current;
    if (!place) return;
    let chart: ECharts | undefined;
    let left = false;
    const resized = new ResizeObserver(() => {
      // It is told of the first size, too, which the chart has already.
      if (chart && (chart.getWidth() !== place.clientWidth || chart.getHeight() !== place.clientHeight))
        chart.resize();
    });
    void inTurn(() => import("./echarts")).then(({ init }) => {
      if (left) return;
      const palette = readPalette();
      chart = init(place, chartTheme(palette), { renderer: "canvas" });
      resized.observe(place);
      setDrawn({ chart, palette });
    });
    return () => {
      left = true;
      resized.disconnect();
      undo.current?.();
      undo.current = undefined;
      chart?.dispose();
      setDrawn(null);
    };
  }, [element, theme]);

  const before = useRef<ECharts | null>(null);
  useEffect(() => {
    if (!drawn || drawn.chart.isDisposed()) return;
    const first = before.current !== drawn.chart;
    before.current = drawn.chart;
    // Changes that come close together are drawn once, with the next frame.
    const how = { notMerge: first, replaceMerge: ["series"], lazyUpdate: !first };
    drawn.chart.setOption(settled(option(drawn.palette)), how);
    // Not before: who adds to a chart without axes breaks it.
    if (first) undo.current = ready(drawn.chart);
  }, [drawn, option]);
  return drawn;
}

/** Nothing moves for those who want nothing to move; for the others it is quick, and hundreds of marks do not move. */
export function settled(option: ChartOption): ChartOption {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  return {
    animationDuration: 250,
    animationDurationUpdate: 250,
    animationThreshold: 100,
    ...option,
    ...(still ? { animation: false } : {}),
  };
}
