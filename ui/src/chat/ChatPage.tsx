import { useParams } from "react-router";
import { NewConversation } from "./NewConversation";
import { OpenConversation } from "./OpenConversation";
import { SessionList } from "./sessions/SessionList";

/** Conversations at the left, the one that is open beside them. */
export default function ChatPage() {
  const { sessionId } = useParams();
  return (
    <div className="flex h-full min-h-0">
      <aside aria-label="Conversations" className="hidden w-64 shrink-0 border-r border-line lg:flex">
        <SessionList current={sessionId} />
      </aside>
      {sessionId === undefined ? (
        <NewConversation />
      ) : (
        <OpenConversation key={sessionId} sessionId={sessionId} />
      )}
    </div>
  );
}
