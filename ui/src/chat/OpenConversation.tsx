import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { queries } from "@/api";
import { ButtonLink, Empty, ErrorMessage, Loading } from "@/kit";
import { sendMessage, stop } from "./actions";
import { type Conversation, ConversationContext } from "./conversation";
import { Announcer } from "./parts/Announcer";
import { Composer } from "./parts/Composer";
import { Header } from "./parts/Header";
import { Suggestions } from "./parts/Suggestions";
import { ThreadView } from "./parts/ThreadView";
import { DecisionsPending } from "./parts/DecisionsPending";
import { isCall } from "./thread/model";
import { latestStarts, isRunning, callStatus, openApprovals } from "./thread/selectors";
import { useExpiry } from "./useExpiry";
import { useThread } from "./useThread";

/** An existing conversation: thread and composer. */
export function OpenConversation({ sessionId }: { sessionId: string }) {
  const session = useQuery(queries.session(sessionId));
  const { thread, stream } = useThread(sessionId);
  const [editing, setEditing] = useState<string | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const now = useExpiry(thread);
  const asks = openApprovals(thread, now);
  const works = isRunning(thread);
  const tainted = session.data?.tainted ?? false;
  const started = [...latestStarts(thread.entries)].join("\n");
  const context = useMemo<Conversation>(
    () => ({
      sessionId,
      running: works,
      waiting: asks.length > 0,
      tainted,
      now,
      starts: new Set(started.split("\n")),
      editing,
      edit: setEditing,
    }),
    [sessionId, works, asks.length, tainted, now, started, editing],
  );

  const review = () =>
    (frame.current?.querySelector<HTMLElement>("[data-approval]") ?? input.current)?.focus();
  const asked = useRef(0);
  useEffect(() => {
    // What had the focus is gone with the decision: the next one takes it, or the composer.
    if (asks.length < asked.current && document.activeElement === document.body) review();
    asked.current = asks.length;
  }, [asks.length]);

  if (stream.state === "failed" && thread.entries.length === 0)
    return <Gone error={stream.error} onRetry={stream.again} />;
  const kept = thread.entries.flatMap((entry, place) =>
    isCall(entry) && callStatus(entry, works, now) === "asking" ? [place] : [],
  );
  // Nothing has been said in it: a turn would have moved the time of its last use.
  const unused = session.data !== undefined && session.data.updated_at === session.data.created_at;
  return (
    <ConversationContext value={context}>
      <div ref={frame} className="flex min-h-0 min-w-0 flex-1 flex-col">
        <Header session={session.data} />
        {thread.entries.length > 0 ? (
          <ThreadView thread={thread} kept={kept} />
        ) : unused && !works ? (
          <Suggestions
            disabled={false}
            onChoose={(text) => void sendMessage(sessionId, text).catch(setFailed)}
          />
        ) : (
          <div className="flex-1 px-4 pt-6 md:px-6">
            <Loading label="The conversation" lines={6} className="mx-auto max-w-3xl" />
          </div>
        )}
        {stream.state === "failed" && thread.entries.length > 0 && (
          <div className="px-4 pb-2 md:px-6">
            <ErrorMessage error={stream.error} compact onRetry={stream.again} className="mx-auto max-w-3xl" />
          </div>
        )}
        {failed !== null && (
          <div className="px-4 pb-2 md:px-6">
            <ErrorMessage error={failed} compact className="mx-auto max-w-3xl" />
          </div>
        )}
        <Composer
          key={sessionId}
          name={sessionId}
          input={input}
          autoFocus
          busy={works}
          onSend={(text) => sendMessage(sessionId, text)}
          onStop={works || asks.length > 0 ? () => stop(sessionId) : undefined}
          blocked={asks.length > 0 && <DecisionsPending count={asks.length} onReview={review} />}
        />
        <Announcer running={works} waiting={asks.length} />
      </div>
    </ConversationContext>
  );
}

function Gone({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <div className="flex flex-1 flex-col items-center justify-center gap-4 p-6">
      <Empty
        title="This conversation cannot be opened"
        action={<ButtonLink to="/">Begin a new one</ButtonLink>}
        className="py-0"
      />
      <ErrorMessage error={error} onRetry={onRetry} className="w-full max-w-lg" />
    </div>
  );
}
