import { render, waitFor } from "@testing-library/react";
import { useRef } from "react";
import { expect, test, vi } from "vitest";
import { useChart } from "./useChart";

const told: string[] = [];
vi.mock("./echarts", () => ({
  init: () => ({
    setOption: () => told.push("drawn"),
    isDisposed: () => false,
    dispose: () => told.push("disposed"),
  }),
}));

const option = () => ({});
const onReady = () => {
  told.push("ready");
  return () => void told.push("undone");
};

function Place() {
  const place = useRef<HTMLDivElement>(null);
  useChart(place, option, onReady);
  return <div ref={place} />;
}

test("a chart is ready for others when it has been drawn, and is left before it goes", async () => {
  const { unmount } = render(<Place />);
  await waitFor(() => expect(told).toEqual(["drawn", "ready"]));
  unmount();
  expect(told).toEqual(["drawn", "ready", "undone", "disposed"]);
});
