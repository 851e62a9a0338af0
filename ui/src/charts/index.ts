export { Chart } from "./Chart";
export type { Rows } from "./ChartTable";
export { faded, type Palette } from "./palette";
export { tooltipContent } from "./tooltipContent";
export { queueRender } from "./renderQueue";
export type { ChartOption, OnReady } from "./useChart";
