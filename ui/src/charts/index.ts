export { Chart } from "./Chart";
export type { Rows } from "./ChartTable";
export { faded, type Palette } from "./palette";
export { tip } from "./tip";
export { inTurn } from "./turns";
export type { ChartOption, OnReady } from "./useChart";
