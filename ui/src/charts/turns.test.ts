import { expect, test, vi } from "vitest";
import { inTurn } from "./turns";

test("each piece of work has a turn of its own, what is taken back has none, and a failure is the only loss", async () => {
  const done: string[] = [];
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  inTurn(async () => {
    await Promise.resolve();
    done.push("first");
  });
  inTurn(() => {
    throw new Error("cannot be drawn");
  });
  const takeBack = inTurn(() => done.push("old"));
  inTurn(() => done.push("new"));
  takeBack();
  expect(done).toEqual([]); // nothing before a paint
  await vi.waitFor(() => {
    expect(done).toEqual(["first", "new"]);
  });
  expect(reported).toHaveBeenCalledOnce();
  vi.unstubAllGlobals();

  inTurn(() => done.push("later"));
  await vi.waitFor(() => {
    expect(done).toEqual(["first", "new", "later"]);
  });
});
