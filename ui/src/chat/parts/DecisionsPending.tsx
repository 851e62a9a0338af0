import { Hand } from "lucide-react";
import { plural } from "@/format";
import { Button } from "@/kit";

/** Notice in place of the composer while approvals are open. */
export function DecisionsPending({ count, onReview }: { count: number; onReview: () => void }) {
  return (
    <div className="flex min-h-9 items-center gap-2 rounded-lg border border-warn/40 bg-warn-soft px-3 py-1 text-sm">
      <Hand className="size-3.5 shrink-0 text-warn" aria-hidden="true" />
      <p className="min-w-0 flex-1">
        {plural(count, "call")} {count === 1 ? "waits" : "wait"} for your decision before the conversation
        goes on.
      </p>
      <Button size="sm" onClick={onReview}>
        Review
      </Button>
    </div>
  );
}
