import { expect, test } from "vitest";
import { completeMarkdown } from "./completeMarkdown";

test.each([
  ["plain text stays", "one\ntwo", "one\ntwo"],
  ["bold that has no end yet ends here", "it is **very im", "it is **very im**"],
  ["bold that ends stays", "it is **very** im", "it is **very** im"],
  ["stars alone mean nothing yet", "it is **", "it is "],
  ["half an end is no end", "it is **very*", "it is **very**"],
  ["code that has no end yet ends here", "run `autotuner se", "run `autotuner se`"],
  ["a tick alone means nothing yet", "run `", "run "],
  ["a link shows its words, not its address", "see [the docs](https://exa", "see the docs"],
  [
    "a link that is whole stays",
    "see [the docs](https://example.org) and",
    "see [the docs](https://example.org) and",
  ],
  ["a picture comes when it is whole", "see ![a chart](/api/ta", "see "],
  ["the head of a table waits for its rule", "so:\n\n| a | b |", "so:\n"],
  ["half a rule is none", "so:\n\n| a | b |\n|---", "so:\n"],
  ["a table stays once it is one", "| a | b |\n|---|---|\n| 1 |", "| a | b |\n|---|---|\n| 1 |"],
  ["an item's mark waits for its words", "list:\n- ", "list:\n"],
  ["so does a task's", "- [x] done\n- [ ] ", "- [x] done\n"],
  ["a heading's mark waits, too", "so:\n\n##", "so:\n\n"],
  ["emphasis that has no end yet ends here", "it is *very im", "it is *very im*"],
  ["what stands in emphasis ends first", "**see `this", "**see `this`**"],
  ["a star between numbers is one", "2 * 3", "2 * 3"],
  ["a fence is one when its line is complete", "so:\n```py", "so:\n"],
  ["half of a fence's end is none", "```\nx\n``", "```\nx\n"],
  ["the end of a fence stays", "```\nx\n```", "```\nx\n```"],
  ["a rule with too few columns is none", "| a | b |\n|---|", ""],
  ["in a fence everything is code", "```py\nx = [1](", "```py\nx = [1]("],
])("%s", (_, text, shown) => expect(completeMarkdown(text)).toBe(shown));

test("however a text is cut, only its end is touched", () => {
  const text =
    "A **bold** claim with `code` and [a link](https://example.org/x).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nEnd.";
  for (let length = 0; length <= text.length; length++) {
    const cut = text.slice(0, length);
    const shown = completeMarkdown(cut);
    const same = [...cut].findIndex((letter, place) => letter !== shown[place]);
    const lastBlock = Math.max(0, cut.lastIndexOf("\n\n"));
    if (same >= 0) expect(same).toBeGreaterThanOrEqual(lastBlock);
  }
});
