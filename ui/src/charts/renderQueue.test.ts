import { expect, test, vi } from "vitest";
import { queueRender } from "./renderQueue";

test("each piece of work has a turn of its own, what is taken back has none, and a failure is the only loss", async () => {
  const done: string[] = [];
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  queueRender(async () => {
    await Promise.resolve();
    done.push("first");
  });
  queueRender(() => {
    throw new Error("cannot be drawn");
  });
  const takeBack = queueRender(() => done.push("old"));
  queueRender(() => done.push("new"));
  takeBack();
  expect(done).toEqual([]); // nothing before a paint
  await vi.waitFor(() => {
    expect(done).toEqual(["first", "new"]);
  });
  expect(reported).toHaveBeenCalledOnce();
  vi.unstubAllGlobals();

  queueRender(() => done.push("later"));
  await vi.waitFor(() => {
    expect(done).toEqual(["first", "new", "later"]);
  });
});
