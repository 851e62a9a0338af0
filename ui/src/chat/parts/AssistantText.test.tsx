import { render } from "@testing-library/react";
import { Tooltip } from "radix-ui";
import { MemoryRouter } from "react-router";
import { expect, test } from "vitest";
import { AssistantText } from "./AssistantText";

const ANSWER = `# The result

It serves **42 % more** tokens at the *same* latency; **\`--max-num-seqs 64\` wins**. See [the task](/tasks/1) or [the docs](https://example.org/a_(b) "Title").
Two lines:
- [x] planned
- [ ] run
  1. one
  2. **two**

## A table

| a | b |
|---|--:|
| 1 | **2** |
| \`x\` | 3 * 4 |

> Quoted, *twice*.

1. first

2. second

---

\`\`\`bash
vllm serve demo
echo "*"
\`\`\`

~~~
plain
~~~
* last
* \`code\``;

const shown = (text: string) => (
  <MemoryRouter>
    <Tooltip.Provider>
      <AssistantText entry={{ kind: "text", id: "a", text, streaming: true }} />
    </Tooltip.Provider>
  </MemoryRouter>
);

test("while an answer grows, nothing that is shown of it goes away or turns into something else", () => {
  const { container, rerender } = render(shown(""));
  // How code is coloured may change while it grows.
  const elements = () =>
    [...container.querySelectorAll("*")].filter((one) => one.closest("code") === null || one.matches("code"));
  const broken: string[] = [];
  const said = () => container.textContent.replaceAll(/\s+/g, " ").trim();
  let before = { elements: elements(), text: "" };
  for (let length = 1; length <= ANSWER.length; length++) {
    if (/\w\w\w$/.test(ANSWER.slice(0, length))) continue; // in the middle of a word nothing changes
    rerender(shown(ANSWER.slice(0, length)));
    const text = said();
    const lost = before.elements.filter((one) => !one.isConnected).map((one) => one.tagName);
    const at = JSON.stringify(ANSWER.slice(Math.max(0, length - 12), length));
    if (lost.length > 0) broken.push(`${at}: lost ${lost.join(" ")}`);
    if (!text.startsWith(before.text)) broken.push(`${at}: ${before.text.slice(-20)} | ${text.slice(-20)}`);
    before = { elements: elements(), text };
  }
  expect(broken).toEqual([]);
}, 60_000);
