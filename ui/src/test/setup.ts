import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach, expect } from "vitest";
import * as matchers from "./axe";

expect.extend({ toBeAccessible: matchers.toBeAccessible });
afterEach(cleanup);

// What a browser has and jsdom has not.
globalThis.Request = class extends Request {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(typeof input === "string" ? new URL(input, "http://service") : input, init);
  }
};
globalThis.ResizeObserver ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};
globalThis.matchMedia ??= (media) =>
  Object.assign(new EventTarget(), { matches: false, media, onchange: null }) as unknown as MediaQueryList;
// Without a layout nothing has a size, and what is drawn by size would draw nothing.
for (const side of ["client", "offset"]) {
  Object.defineProperty(HTMLElement.prototype, `${side}Width`, { configurable: true, get: () => 1280 });
  Object.defineProperty(HTMLElement.prototype, `${side}Height`, { configurable: true, get: () => 640 });
}
Element.prototype.scrollIntoView ??= () => undefined;
Element.prototype.hasPointerCapture ??= () => false;
