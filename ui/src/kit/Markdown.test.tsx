import { describe, expect, test } from "vitest";
import { show } from "@/test/page";
import { Markdown } from "./Markdown";
import { splitBlocks, safeImage, safeLink } from "./markdownText";

describe("links and pictures", () => {
  test.each(["https://example.org/a?b#c", "http://example.org", "mailto:a@example.org", "/tasks/1", "#part"])(
    "%s may be followed",
    (url) => expect(safeLink(url)).toBe(url),
  );
  test.each([
    "javascript:alert(1)",
    " javascript:alert(1)",
    "JaVaScRiPt:x",
    "data:text/html,x",
    "//evil.example",
    "/\\evil.example",
    "vbscript:x",
    "file:///etc/passwd",
    "",
    undefined,
  ])("%s may not", (url) => expect(safeLink(url)).toBeNull());
  test.each([
    "https://evil.example/x.png",
    "//evil.example/x.png",
    "data:image/svg+xml,x",
    "/\\evil.example/x.png",
  ])("no picture comes from %s", (url) => expect(safeImage(url)).toBeNull());
  test("pictures of the service itself are shown", () =>
    expect(safeImage("/api/tasks/1/plots/pareto.svg")).toBe("/api/tasks/1/plots/pareto.svg"));
});

describe("what others write", () => {
  test("brings no HTML, no script, no picture of another host, no link that does something", () => {
    const text = [
      "Hello <b onclick=alert(1)>you</b> <img src=x onerror=alert(1)>",
      "<script>alert(1)</script>",
      "<iframe src=https://evil.example></iframe>",
      "![spy](https://evil.example/x.png) [go](javascript:alert(1)) [out](https://example.org)",
      "[ref]: javascript:alert(2)",
      "[a][ref]",
    ].join("\n\n");
    const { container } = show(<Markdown text={text} />);
    expect(container.querySelectorAll("script, iframe, img, b, [onclick], [onerror]")).toHaveLength(0);
    expect(
      [...container.querySelectorAll("a")].map((link) => [link.getAttribute("href"), link.rel, link.target]),
    ).toEqual([["https://example.org", "noopener noreferrer nofollow", "_blank"]]);
    expect(container).toHaveTextContent("[picture: spy]");
  });

  test("tables, tasks and code are readable for everybody", async () => {
    const text = "| a | b |\n|---|--:|\n| 1 | 2 |\n\n- [x] done\n- [ ] open\n\n```yaml\nkey: 1\n```\n";
    const { container, getByRole, getByText } = show(<Markdown text={text} />);
    expect(getByRole("table")).toBeVisible();
    expect(getByRole("button", { name: "Copy" })).toBeVisible();
    expect(getByText("key:")).toHaveClass("hljs-attr");
    await expect(container).toBeAccessible();
  });
});

describe("pieces", () => {
  test.each([
    ["paragraphs", "one\n\ntwo\n\nthree", 3],
    ["a list with gaps", "- a\n\n- b\n\n  more of b\n\nafter", 2],
    ["code with empty lines", "```\na\n\nb\n```\n\nafter", 2],
    ["code in longer fences", "````\n```\n\nx\n````\n\nafter", 2],
    ["code that is not closed yet", "text\n\n```\na\n\nb", 2],
    ["references", "[a]\n\n[a]: https://example.org", 1],
    ["a numbered list with gaps", "1. a\n\n2. b", 1],
    ["nothing", "  \n", 0],
  ])("%s", (_, text, count) => expect(splitBlocks(text)).toHaveLength(count));

  test("lose nothing", () => {
    const text = "# a\n\nb\nc\n\n```\nd\n\ne\n```\n\n- f\n\n- g\n";
    expect(splitBlocks(text).join("\n")).toBe(text);
  });
});
