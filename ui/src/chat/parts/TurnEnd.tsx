import { useMutation } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { compact, count, timeOfDay } from "@/format";
import { Badge, Button, CopyButton, ErrorMessage, IconButton } from "@/kit";
import { resend } from "../actions";
import { useConversation } from "../conversation";
import type { EndEntry, UserEntry } from "../thread/model";

type Props = {
  entry: EndEntry;
  /** What was said in the turn. */
  said: string;
  /** The message that can be sent again: of the last turn only. */
  asked: UserEntry | null;
};

const AGAIN = <RotateCw className="size-3.5" />;

/** Footer of a turn: outcome, model, tokens and actions. */
export function TurnEnd({ entry, said, asked }: Props) {
  const { sessionId, running, waiting } = useConversation();
  const again = useMutation({
    mutationFn: (message: UserEntry) => resend(sessionId, message.id, message.text),
  });
  const { input, output } = entry.usage;
  const failed = entry.outcome === "failed";
  const can = asked !== null && !running && !waiting;
  const repeat = () => asked !== null && again.mutate(asked);
  return (
    <div role="group" className="space-y-2" aria-label="End of the turn">
      {failed && (
        <TurnFailure entry={entry}>
          {can && (
            <Button size="sm" icon={AGAIN} pending={again.isPending} onClick={repeat} className="mt-2">
              Ask again
            </Button>
          )}
        </TurnFailure>
      )}
      <div className="flex min-h-7 items-center gap-1 text-xs text-faint">
        {said !== "" && <CopyButton text={said} label="Copy answer" className="-ml-1.5" />}
        {can && !failed && (
          <IconButton
            size="sm"
            label="Ask again"
            icon={AGAIN}
            pending={again.isPending}
            onClick={repeat}
            className={said === "" ? "-ml-1.5" : ""}
          />
        )}
        {entry.outcome === "cancelled" && <Badge className="ml-1">Stopped</Badge>}
        <span className="num ml-1 flex min-w-0 flex-wrap gap-x-2.5">
          {entry.model !== null && <span className="truncate">{entry.model}</span>}
          {input + output > 0 && (
            <span title={`${count(input)} tokens read, ${count(output)} written`}>
              {compact(input)} in, {compact(output)} out
            </span>
          )}
          {entry.at !== null && <time>{timeOfDay(new Date(entry.at).toISOString())}</time>}
        </span>
      </div>
      {again.isError && <ErrorMessage error={again.error} compact />}
    </div>
  );
}

function TurnFailure({ entry, children }: { entry: EndEntry; children: ReactNode }) {
  return (
    <div role="alert" className="rounded-lg border border-bad/40 bg-bad-soft px-3 py-2 text-sm">
      <p className="font-medium text-bad">The turn failed</p>
      <p className="break-words">{entry.message}</p>
      {entry.errorId !== null && (
        <p className="mt-1 text-xs text-muted">In the service’s log under {entry.errorId}</p>
      )}
      {children}
    </div>
  );
}
