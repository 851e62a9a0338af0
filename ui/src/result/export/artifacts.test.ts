import { expect, test } from "vitest";
import { type Artifact, isText, wordsOf } from "./artifacts";

const artifact = (name: string, more: Partial<Artifact> = {}): Artifact => ({
  name,
  type: "text/plain; charset=utf-8",
  url: `/api/tasks/a1b2c3d4/export?kind=${name}`,
  missing: null,
  ...more,
});

test("an artifact has words, one that the page does not know its name", () => {
  expect(wordsOf(artifact("command")).label).toBe("Command");
  expect(wordsOf(artifact("helm_chart"))).toEqual({ label: "Helm chart", detail: "" });
});

test("where there is none, the service's reason stands beside it", () => {
  expect(wordsOf(artifact("compose", { missing: "No image." }))).toEqual({
    label: "Compose file",
    detail: "No image.",
  });
});

test.each([
  ["text/plain; charset=utf-8", true],
  ["text/csv; charset=utf-8", true],
  ["application/yaml", true],
  ["application/json", true],
  ["text/html; charset=utf-8", false],
  ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", false],
])("%s is worth copying: %s", (type, worth) => expect(isText(artifact("a", { type }))).toBe(worth));
