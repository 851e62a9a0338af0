import { expect, test } from "vitest";
import { faded } from "./palette";
import { tooltipContent } from "./tooltipContent";

test("a tooltip holds text, whatever it looks like", () => {
  const box = tooltipContent("<img src=x onerror=alert(1)>", [["<b>ttft</b>", "84 ms", "red"]]);
  expect(box.querySelector("img, b")).toBeNull();
  expect(box).toHaveTextContent("<img src=x onerror=alert(1)><b>ttft</b>84 ms");
});

test("a colour is let through", () => {
  expect(faded("rgb(1, 2, 3)", 0.2)).toBe("rgba(1, 2, 3, 0.2)");
  expect(faded("red", 0.2)).toBe("red");
});
