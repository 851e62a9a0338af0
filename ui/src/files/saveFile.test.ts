import { expect, test } from "vitest";
import { fileName } from "./saveFile";

test("a file has the name that the service gives it, in any script", () => {
  expect(fileName(`attachment; filename="chat-8B.csv"; filename*=UTF-8''chat%208B.csv`)).toBe("chat 8B.csv");
  expect(fileName(`attachment; filename="a.yaml"`)).toBe("a.yaml");
  expect(fileName(`attachment; filename="a.yaml"; filename*=UTF-8''%E0%A4`)).toBe("a.yaml");
  expect(fileName(null)).toBeNull();
});
