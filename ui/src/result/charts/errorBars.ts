/** The used part of ECharts' API for custom series. */
type Api = { value: (at: number) => number; coord: (point: number[]) => number[] };

/** Error bars as a series: [x, low, high] each. */
export function errorBars(
  id: string,
  name: string,
  bars: readonly (readonly [number, number, number])[],
  colour: string,
) {
  return {
    id,
    name,
    type: "custom" as const,
    silent: true,
    z: 12,
    encode: { x: 0, y: [1, 2] },
    itemStyle: { color: colour },
    data: bars.map((bar) => [...bar]),
    renderItem: (_: unknown, api: Api) => {
      const [x = 0, bottom = 0] = api.coord([api.value(0), api.value(1)]);
      const [, top = 0] = api.coord([api.value(0), api.value(2)]);
      const line = (x1: number, y1: number, x2: number, y2: number) => ({
        type: "line",
        shape: { x1, y1, x2, y2 },
        style: { stroke: colour, lineWidth: 1.5 },
      });
      return {
        type: "group",
        children: [line(x, top, x, bottom), line(x - 4, top, x + 4, top), line(x - 4, bottom, x + 4, bottom)],
      };
    },
  };
}
