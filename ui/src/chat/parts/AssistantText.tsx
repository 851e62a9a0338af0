import { Markdown } from "@/kit";
import type { TextEntry } from "../thread/model";
import { completeMarkdown } from "./completeMarkdown";

/** What the assistant says, also while it still says it. */
export function AssistantText({ entry }: { entry: TextEntry }) {
  return (
    <article aria-label="The assistant said" aria-busy={entry.streaming || undefined}>
      <Markdown text={entry.streaming ? completeMarkdown(entry.text) : entry.text} />
    </article>
  );
}
