import type { Palette } from "./palette";

const FONT = 'Inter, system-ui, "Segoe UI", Roboto, sans-serif';

/** The ECharts theme. */
export function chartTheme(palette: Palette): Record<string, unknown> {
  const axis = {
    axisLine: { show: true, lineStyle: { color: palette.line } },
    axisTick: { show: false },
    axisLabel: { color: palette.muted, fontSize: 11, hideOverlap: true },
    nameTextStyle: { color: palette.muted, fontSize: 11 },
    splitLine: { lineStyle: { color: palette.line, opacity: 0.7 } },
    minorSplitLine: { show: false },
  };
  return {
    color: palette.series,
    backgroundColor: "transparent",
    textStyle: { fontFamily: FONT, fontSize: 12, color: palette.text },
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: { ...axis, axisLine: { show: false } },
    logAxis: { ...axis, axisLine: { show: false } },
    timeAxis: axis,
    legend: {
      textStyle: { color: palette.muted, fontSize: 11 },
      pageTextStyle: { color: palette.muted },
      pageIconColor: palette.muted,
      pageIconInactiveColor: palette.line,
      itemWidth: 12,
      itemHeight: 8,
      icon: "roundRect",
      inactiveColor: palette.faint,
    },
    tooltip: {
      backgroundColor: palette.raised,
      borderColor: palette.line,
      borderWidth: 1,
      padding: [6, 10],
      confine: true,
      transitionDuration: 0,
      textStyle: { color: palette.text, fontSize: 12 },
      axisPointer: { lineStyle: { color: palette.faint }, crossStyle: { color: palette.faint } },
    },
    parallel: {
      parallelAxisDefault: { ...axis, nameGap: 14, splitLine: { show: false } },
    },
    toolbox: { iconStyle: { borderColor: palette.muted } },
  };
}
