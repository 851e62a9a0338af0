import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams } from "react-router";
import type { Schema } from "@/api";
import { Confirm } from "@/kit";
import { remove } from "../actions";

type Props = { session: Schema<"Session">; onDone: () => void };

export function DeleteSession({ session, onDone }: Props) {
  const client = useQueryClient();
  const go = useNavigate();
  const { sessionId } = useParams();
  const gone = async () => {
    await remove(session.id);
    if (sessionId === session.id) await go("/", { replace: true });
    client.removeQueries({ queryKey: ["sessions", session.id] });
    await client.invalidateQueries({ queryKey: ["sessions", "list"] });
  };
  return (
    <Confirm
      open
      onOpenChange={(open) => !open && onDone()}
      danger
      title="Delete this conversation?"
      detail={`“${session.title}” is gone for good, and what it waits for is cancelled. Tasks that it started go on.`}
      action="Delete"
      onConfirm={gone}
    />
  );
}
