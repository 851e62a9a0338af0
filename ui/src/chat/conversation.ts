/** What every part of an open conversation knows of it. */

import { createContext, useContext } from "react";

export type Conversation = {
  sessionId: string;
  /** The assistant works now. */
  running: boolean;
  /** Decisions are awaited. */
  waiting: boolean;
  /** Text that nobody vouches for has entered: nothing is allowed ahead any more. */
  tainted: boolean;
  /** Milliseconds since 1970. Moves on when an approval expires. */
  now: number;
  /** For tasks that were put to work here: the calls whose cards follow them. */
  starts: ReadonlySet<string>;
  /** The user's message that is being written anew. */
  editing: string | null;
  edit: (messageId: string | null) => void;
};

export const ConversationContext = createContext<Conversation | null>(null);

export function useConversation(): Conversation {
  const found = useContext(ConversationContext);
  if (found === null) throw new Error("This belongs inside a conversation.");
  return found;
}
