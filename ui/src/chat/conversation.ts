/** Context of an open conversation. */

import { createContext, useContext } from "react";

export type Conversation = {
  sessionId: string;
  /** A run is active. */
  running: boolean;
  /** Approvals are open. */
  waiting: boolean;
  /** Untrusted text has been read: no calls can be allowed for the session. */
  tainted: boolean;
  /** Milliseconds since 1970. Moves on when an approval expires. */
  now: number;
  /** Ids of the calls that show a task's card: the last one that started each task. */
  starts: ReadonlySet<string>;
  /** The user's message that is being edited. */
  editing: string | null;
  edit: (messageId: string | null) => void;
};

export const ConversationContext = createContext<Conversation | null>(null);

export function useConversation(): Conversation {
  const found = useContext(ConversationContext);
  if (found === null) throw new Error("This belongs inside a conversation.");
  return found;
}
