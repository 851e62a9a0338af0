import { describe, expect, test } from "vitest";
import { fields, placed, read, texts } from "./fields";
import { allowed, pattern, argumentRules } from "./pattern";

const SCHEMA = {
  type: "object",
  required: ["repo"],
  properties: {
    repo: { type: "string", description: "The model's id." },
    body: { type: "string", maxLength: 65536 },
    revision: { type: "string", maxLength: 200 },
    limit: { type: "integer", minimum: 1 },
    seconds: { type: "number" },
    replace: { type: "boolean", default: false },
    state: { type: "string", enum: ["open", "closed"] },
    allow: { type: "array", items: { type: "string" } },
    task: { type: "object" },
  },
};
const SPECS = fields(SCHEMA);

describe("the form", () => {
  test("each argument gets the field of its kind", () => {
    expect(SPECS.map((spec) => spec.kind)).toEqual([
      "text",
      "long",
      "text",
      "integer",
      "number",
      "boolean",
      "choice",
      "list",
      "json",
    ]);
    expect(SPECS[0]).toMatchObject({ required: true, help: "The model's id." });
    expect(SPECS[6]?.choices).toEqual(["open", "closed"]);
  });

  test("what is shown is read back as it was", () => {
    const args = {
      repo: "org/m",
      limit: 3,
      seconds: 0.5,
      replace: true,
      state: "open",
      allow: ["*.json", "*.bin"],
      task: { a: [1] },
    };
    expect(read(SPECS, texts(SPECS, args))).toEqual({ args, errors: {} });
  });

  test("an optional argument that is empty is left out", () => {
    expect(read(SPECS, texts(SPECS, { repo: "org/m" })).args).toEqual({ repo: "org/m" });
  });

  test("an empty text that is needed is for the service to judge", () => {
    expect(read(SPECS, { repo: "" })).toEqual({ args: { repo: "" }, errors: {} });
  });

  test.each([
    ["limit", "1.5", "This must be a whole number."],
    ["limit", "many", "This must be a whole number."],
    ["seconds", "soon", "This must be a number, such as 0.5."],
    ["task", "{a", "This is no valid JSON."],
  ])("%s cannot be %s", (name, text, error) => {
    expect(read(SPECS, { repo: "x", [name]: text }).errors).toEqual({ [name]: error });
  });

  test("the service's problems stand at their fields, and what belongs to none is not lost", () => {
    const errors = placed(SPECS, [
      { where: "repo", message: "is missing", line: null },
      { where: "task.parameters.x", message: "is no list", line: null },
      { where: "task.model", message: "is empty", line: null },
      { where: "elsewhere", message: "is wrong", line: null },
    ]);
    expect(errors).toEqual({
      repo: "is missing",
      task: "parameters.x: is no list\nmodel: is empty",
      "": "elsewhere: is wrong",
    });
  });
});

describe("allowing for a session", () => {
  const all = argumentRules({ task: "demo-1", replace: false });

  test("binds every argument as it is, until one is let go", () => {
    expect(pattern(all)).toEqual({ task: "demo-1", replace: false });
    const loose = all.map((rule) =>
      rule.name === "task" ? { ...rule, value: "demo-*" } : { ...rule, bound: false },
    );
    expect(pattern(loose)).toEqual({ task: "demo-*" });
    expect(allowed("start_task", loose)).toContain("when task is demo-*.");
  });

  test("says plainly when it binds nothing", () => {
    expect(
      allowed(
        "start_task",
        all.map((rule) => ({ ...rule, bound: false })),
      ),
    ).toContain("Every later call of start_task");
  });
});
