import { Markdown } from "@/kit";
import type { TextEntry } from "../thread/model";
import { completeMarkdown } from "./completeMarkdown";

/** A message of the assistant, also while it is streamed. */
export function AssistantText({ entry }: { entry: TextEntry }) {
  return (
    <article aria-label="The assistant said" aria-busy={entry.streaming || undefined}>
      <Markdown text={entry.streaming ? completeMarkdown(entry.text) : entry.text} />
    </article>
  );
}
