import { Flag } from "lucide-react";
import { timeOfDay } from "@/format";
import type { NoticeEntry } from "../thread/model";

export function Notice({ entry }: { entry: NoticeEntry }) {
  return (
    <p className="flex items-center gap-2 border-t border-line pt-3 text-xs text-muted">
      <Flag className="size-3.5 text-faint" aria-hidden="true" />A task that was started here has ended
      {entry.at !== null && (
        <time className="num text-faint">{timeOfDay(new Date(entry.at).toISOString())}</time>
      )}
    </p>
  );
}
