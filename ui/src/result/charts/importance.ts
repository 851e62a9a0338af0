import type { ChartOption, Palette, Rows } from "@/charts";
import { percent } from "@/format";
import type { Effect } from "../types";

/** How much of the difference between configurations each parameter explains by itself. */
export function importanceOption(
  effects: readonly Effect[],
  chosen: string | null,
  palette: Palette,
): ChartOption {
  return {
    aria: { enabled: false },
    grid: { left: 8, right: 56, top: 8, bottom: 8, containLabel: true },
    xAxis: { type: "value", min: 0, max: 1, show: false },
    yAxis: {
      type: "category",
      inverse: true,
      data: effects.map((effect) => effect.name),
      axisLine: { show: false },
      axisLabel: { width: 150, overflow: "truncate", fontSize: 12, color: palette.text },
      triggerEvent: true,
    },
    series: [
      {
        id: "importance",
        type: "bar",
        barMaxWidth: 16,
        showBackground: true,
        backgroundStyle: { color: palette.line, opacity: 0.5, borderRadius: 3 },
        label: {
          show: true,
          position: "right",
          color: palette.muted,
          formatter: ({ dataIndex }: { dataIndex: number }) => said(effects[dataIndex]),
        },
        data: effects.map((effect) => ({
          value: effect.importance ?? 0,
          itemStyle: {
            borderRadius: 3,
            color: effect.name === chosen ? palette.accent : (palette.series[0] ?? palette.accent),
            opacity: effect.name === chosen ? 1 : 0.55,
          },
        })),
      },
    ],
  };
}

function said(effect: Effect | undefined): string {
  return effect?.importance == null ? "–" : percent(effect.importance, { digits: 0 });
}

export function importanceTable(effects: readonly Effect[]): Rows {
  return {
    columns: ["Parameter", "Explains", "Values", "Experiments", "Failed"],
    rows: effects.map((effect) => [
      effect.name,
      said(effect),
      effect.values.length,
      effect.values.reduce((sum, value) => sum + value.experiments, 0),
      effect.values.reduce((sum, value) => sum + value.failed, 0),
    ]),
  };
}
