import type { ECharts } from "echarts/core";
import { download } from "@/files/download";
import { type Palette } from "./palette";
import { chartTheme } from "./theme";

/** Saves the chart as PNG, in twice its resolution. */
export async function savePng(chart: ECharts, palette: Palette, name: string): Promise<void> {
  const url = chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: palette.surface });
  const bytes = Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (char) => char.charCodeAt(0));
  download(new Blob([bytes], { type: "image/png" }), `${name}.png`);
}

/** Saves the chart as SVG, rendered off the page. */
export async function saveSvg(chart: ECharts, palette: Palette, name: string): Promise<void> {
  const { init } = await import("./echarts");
  const size = { width: chart.getWidth(), height: chart.getHeight() };
  const copy = init(null, chartTheme(palette), { renderer: "svg", ssr: true, ...size });
  copy.setOption({ ...chart.getOption(), animation: false, backgroundColor: palette.surface });
  download(new Blob([copy.renderToSVGString()], { type: "image/svg+xml" }), `${name}.svg`);
  copy.dispose();
}
