import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Button, ErrorMessage, Textarea } from "@/kit";
import { resend } from "../actions";
import { useConversation } from "../conversation";
import type { UserEntry } from "../thread/model";

const LINES = 14;

/** Form to edit a message and continue from there. */
export function EditMessage({ entry }: { entry: UserEntry }) {
  const { sessionId, edit } = useConversation();
  const [text, setText] = useState(entry.text);
  const sending = useMutation({
    mutationFn: () => resend(sessionId, entry.id, text),
    onSuccess: () => edit(null),
  });
  const send = () => text.trim() !== "" && !sending.isPending && sending.mutate();
  return (
    <form
      aria-label="Edit message"
      className="space-y-2 rounded-xl border border-line-strong bg-surface p-2.5"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Textarea
        autoFocus
        aria-label="Message"
        value={text}
        rows={Math.min(LINES, text.split("\n").length + 1)}
        onChange={(event) => setText(event.target.value)}
        onFocus={(event) => event.target.setSelectionRange(text.length, text.length)}
        onKeyDown={(event) => {
          if (event.key === "Escape") edit(null);
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            send();
          }
        }}
      />
      {sending.isError && <ErrorMessage error={sending.error} compact />}
      <div className="flex flex-wrap items-center gap-2">
        <p className="mr-auto text-xs text-muted">What came after it is left out of the conversation.</p>
        <Button size="sm" onClick={() => edit(null)}>
          Keep as it was
        </Button>
        <Button
          size="sm"
          variant="primary"
          type="submit"
          pending={sending.isPending}
          disabled={text.trim() === ""}
        >
          Send again
        </Button>
      </div>
    </form>
  );
}
