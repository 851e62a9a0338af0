import { Pencil } from "lucide-react";
import { CopyButton, IconButton } from "@/kit";
import { useConversation } from "../conversation";
import type { UserEntry } from "../thread/model";
import { EditMessage } from "./EditMessage";

/** What the user said, as it was typed. */
export function UserMessage({ entry }: { entry: UserEntry }) {
  const { editing, edit, running, waiting } = useConversation();
  if (editing === entry.id) return <EditMessage entry={entry} />;
  return (
    <article aria-label="You said" className="group flex flex-col items-end">
      <p className="max-w-[85%] whitespace-pre-wrap rounded-xl bg-hover px-3.5 py-2 wrap-anywhere">
        {entry.text}
      </p>
      <div className="reveal mt-0.5 flex">
        <CopyButton text={entry.text} label="Copy message" />
        {!running && !waiting && (
          <IconButton
            size="sm"
            label="Edit and send again"
            icon={<Pencil className="size-3.5" />}
            onClick={() => edit(entry.id)}
          />
        )}
      </div>
    </article>
  );
}
