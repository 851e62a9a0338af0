import { useMutation, useQueryClient } from "@tanstack/react-query";
import { decide } from "../actions";
import { useConversation } from "../conversation";

/** Sends a decision. The session's stream then updates the card. */
export function useDecision(approvalId: string) {
  const client = useQueryClient();
  const { sessionId } = useConversation();
  return useMutation({
    mutationFn: (decision: Parameters<typeof decide>[1]) => decide(approvalId, decision),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["approvals"] });
      void client.invalidateQueries({ queryKey: ["sessions", sessionId] });
    },
  });
}
