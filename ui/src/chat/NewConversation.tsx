import { useRef, useState } from "react";
import { useNavigate } from "react-router";
import { ErrorMessage } from "@/kit";
import { startSession } from "./actions";
import { Composer } from "./parts/Composer";
import { Header } from "./parts/Header";
import { Suggestions } from "./parts/Suggestions";

/** A new conversation. The session is created with the first message. */
export function NewConversation() {
  const go = useNavigate();
  const input = useRef<HTMLTextAreaElement>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const send = async (text: string) => {
    setBusy(true);
    try {
      await go(`/chat/${await startSession(text)}`);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col">
      <Header session={null} />
      <Suggestions disabled={busy} onChoose={(text) => void send(text).catch(setFailed)} />
      {failed !== null && (
        <div className="px-4 pb-2 md:px-6">
          <ErrorMessage error={failed} compact className="mx-auto max-w-3xl" />
        </div>
      )}
      <Composer name="new" input={input} onSend={send} autoFocus />
    </div>
  );
}
