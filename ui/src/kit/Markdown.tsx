import { memo } from "react";
import { Link } from "react-router";
import ReactMarkdown, { type Components } from "react-markdown";
import rehypeHighlight from "rehype-highlight";
import remarkGfm from "remark-gfm";
import { Code } from "./Code";
import { cx } from "./cx";
import { splitBlocks, safeImage, safeLink } from "./markdownText";

/**
 * Untrusted Markdown: no HTML, links only by http, https and mailto, no images of other hosts. A text that grows at
 * its end is rendered without flicker.
 */
export const Markdown = memo(function Markdown({ text, className }: { text: string; className?: string }) {
  return (
    <div className={cx("prose", className)}>
      {splitBlocks(text).map((piece, index) => (
        <Piece key={index} text={piece} />
      ))}
    </div>
  );
});

const Piece = memo(function Piece({ text }: { text: string }) {
  return (
    <div className="prose-block">
      <ReactMarkdown
        skipHtml
        remarkPlugins={REMARK}
        rehypePlugins={REHYPE}
        components={COMPONENTS}
        // Links and images are checked in COMPONENTS.
        urlTransform={unchanged}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
});

const REMARK = [remarkGfm];
/** Created once: the highlighter loads every grammar. */
let highlight: ReturnType<typeof rehypeHighlight> | undefined;
const REHYPE = [() => (highlight ??= rehypeHighlight({ detect: false }))];
const unchanged = (url: string) => url;

const COMPONENTS: Components = {
  a: ({ href, children }) => {
    const url = safeLink(href);
    if (url === null) return <span>{children}</span>;
    if (url.startsWith("/") && !url.startsWith("/api/")) return <Link to={url}>{children}</Link>;
    return (
      <a href={url} target={url.startsWith("#") ? undefined : "_blank"} rel="noopener noreferrer nofollow">
        {children}
      </a>
    );
  },
  img: ({ src, alt }) => {
    const url = safeImage(typeof src === "string" ? src : undefined);
    return url ? (
      <img src={url} alt={alt ?? ""} loading="lazy" />
    ) : (
      <span className="text-muted">[picture: {alt || "without a name"}]</span>
    );
  },
  pre: ({ node, children }) => {
    const code = node?.children[0];
    const said = code?.type === "element" ? code : undefined;
    const language = classes(said?.properties.className).find((name) => name.startsWith("language-"));
    return (
      <Code text={plain(said).replace(/\n$/, "")} title={language?.slice("language-".length)}>
        {children}
      </Code>
    );
  },
  table: ({ children }) => (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
  input: ({ checked }) => (
    <input
      type="checkbox"
      checked={checked ?? false}
      readOnly
      disabled
      aria-label={checked ? "done" : "to do"}
      className="mr-1.5 align-middle"
    />
  ),
};

type Node = { type: string; value?: string; children?: Node[] };

function plain(node: Node | undefined): string {
  if (!node) return "";
  return node.value ?? (node.children ?? []).map(plain).join("");
}

function classes(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
