import { expect, test } from "vitest";
import { CATALOG } from "@/test/catalog";
import { type Artifact, isText, wordsOf } from "./artifacts";

const artifact = (name: string, more: Partial<Artifact> = {}): Artifact => ({
  name,
  type: "text/plain; charset=utf-8",
  url: `/api/tasks/a1b2c3d4/export?kind=${name}`,
  missing: null,
  ...more,
});

const helm = artifact("helm", { type: "application/gzip" });

test("an artifact and a format that were added to the tables have the words of their rows", () => {
  expect(wordsOf(helm, CATALOG)).toEqual({ label: "Helm chart", detail: "For helm install" });
  expect(wordsOf(artifact("pdf", { type: "application/pdf" }), CATALOG).label).toBe("PDF report");
});

test("without a catalog an artifact has its name", () => {
  expect(wordsOf(artifact("task_file"), undefined)).toEqual({ label: "Task file", detail: "" });
});

test("where there is none, the service's reason stands beside it", () => {
  expect(wordsOf({ ...helm, missing: "No image." }, CATALOG)).toEqual({
    label: "Helm chart",
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
