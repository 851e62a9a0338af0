import { describe, expect, test } from "vitest";
import { type Entry, toolsOf } from "./entries";
import { EVERYTHING, filterOf } from "./filter";

describe("the audit log", () => {
  const entry = (sequence: number, tool: string | null): Entry => ({
    sequence,
    at: "2026-11-21T10:00:00Z",
    session_id: "s1",
    call_id: null,
    approval_id: null,
    action: "proposed",
    tool,
    who: null,
    detail: {},
  });

  test("is looked through as the address says, which may say anything", () => {
    const said = new URLSearchParams("action=approved&tool=start_task&text=demo&session=s1&entry=3");
    expect(filterOf(said)).toEqual({ action: "approved", tool: "start_task", text: "demo", session: "s1" });
    expect(filterOf(new URLSearchParams("action=constructor"))).toEqual(EVERYTHING);
  });

  test("offers the tools of its entries, and the one that is chosen", () => {
    const log = [entry(3, "start_task"), entry(2, null), entry(1, "cancel_task"), entry(0, "start_task")];
    expect(toolsOf(log, "")).toEqual(["cancel_task", "start_task"]);
    expect(toolsOf(log, "save_preset")).toEqual(["cancel_task", "save_preset", "start_task"]);
  });
});
