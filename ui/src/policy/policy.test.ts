import { describe, expect, test } from "vitest";
import { type Grant, grantState } from "./allGrants";
import { orderedRules, patternText } from "./orderedRules";

describe("policy", () => {
  const rule = (tool: string) => ({ tool, args: {}, reason: "", after_untrusted: false });

  test("rules stand as a call meets them, whatever the order of the file", () => {
    const all = orderedRules({ allow: [rule("c")], ask: [rule("b")], deny: [rule("a"), rule("a2")] });
    expect(all.map(({ kind, rule: { tool } }) => `${kind} ${tool}`)).toEqual([
      "deny a",
      "deny a2",
      "ask b",
      "allow c",
    ]);
  });

  test("patterns are read as words, an empty text as one, and what is long is cut", () => {
    expect(patternText({ task: "demo*", force: true, title: "" })).toBe(
      `task is demo*, force is true, title is ""`,
    );
    expect(patternText({ body: "x".repeat(200) }).length).toBeLessThan(80);
  });

  test("a grant holds until it is revoked or its time is over", () => {
    const grant = { revoked_at: null, expires_at: "2026-11-21T12:00:00Z" } as Grant;
    const at = Date.parse("2026-11-21T11:00:00Z");
    expect(grantState(grant, at)).toBe("holds");
    expect(grantState(grant, at + 3_600_000)).toBe("expired");
    expect(grantState({ ...grant, revoked_at: "2026-11-21T10:00:00Z" }, at)).toBe("revoked");
  });
});
