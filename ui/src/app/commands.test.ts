import { expect, test } from "vitest";
import { type Command, matching } from "./commands";

const command = (name: string, words = ""): Command => ({
  id: name,
  name,
  group: "Go to",
  words,
  run: () => undefined,
});
const ALL = [command("New task", "create tune"), command("Tasks"), command("Machine", "hardware")];
const names = (text: string) => matching(ALL, text).map((one) => one.name);

test("everything is offered until something is asked", () =>
  expect(names("")).toEqual(["New task", "Tasks", "Machine"]));
test("a name's beginning counts most", () => expect(names("task")).toEqual(["Tasks", "New task"]));
test("every word must be found, in whatever order", () => expect(names("tune new")).toEqual(["New task"]));
test("other words find it, too", () => expect(names("HARDWARE")).toEqual(["Machine"]));
test("what nothing is called finds nothing", () => expect(names("xyz")).toEqual([]));
