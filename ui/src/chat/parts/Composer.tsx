import { ArrowUp, Square } from "lucide-react";
import { type RefObject, useId, useState } from "react";
import { cx, ErrorMessage, IconButton } from "@/kit";
import { readStored, writeStored } from "@/state/storage";

type Props = {
  /** Of the session; what is typed is kept under it until it is sent, also when the page is loaded anew. */
  name: string;
  input: RefObject<HTMLTextAreaElement | null>;
  /** Resolves when the message was taken. */
  onSend: (text: string) => Promise<void>;
  /** The assistant works or waits: it can be stopped. */
  onStop?: (() => Promise<unknown>) | undefined;
  /** Why nothing can be written now. */
  blocked?: React.ReactNode;
  /** Why nothing can be sent now, though it can be written. */
  busy?: boolean;
  autoFocus?: boolean;
};

const BUSY = "The assistant still works: stop it, or wait, to send.";
const KEYS = "Enter sends, Shift Enter begins a line.";
const LINES = 10;
const ICON = "size-4";

export function Composer({ name, input, onSend, onStop, blocked, busy = false, autoFocus }: Props) {
  const key = `draft:${name}`;
  const [text, setText] = useState(() => readStored("session", key) ?? "");
  const [sending, setSending] = useState<"message" | "stop" | null>(null);
  const [error, setError] = useState<unknown>(null);
  const hint = useId();
  const type = (next: string) => {
    setText(next);
    writeStored("session", key, next || null);
  };
  const work = async (kind: "message" | "stop", doing: () => Promise<unknown>) => {
    setSending(kind);
    setError(null);
    try {
      await doing();
    } catch (failed) {
      setError(failed);
    } finally {
      setSending(null);
    }
  };
  const can = !blocked && !busy && sending === null && text.trim() !== "";
  const send = () =>
    can &&
    void work("message", async () => {
      await onSend(text);
      type("");
    });
  const hinted = blocked ? "" : busy && text.trim() !== "" ? BUSY : KEYS;
  return (
    <form
      aria-label="Message"
      className="w-full px-4 pb-3 pt-2 md:px-6"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="mx-auto w-full max-w-3xl space-y-2">
        {error !== null && <ErrorMessage error={error} compact />}
        {blocked}
        <div
          className={cx(
            "flex items-end gap-1.5 rounded-xl border bg-surface p-1.5 pl-3.5 shadow-raised focus-within:border-line-strong",
            blocked ? "border-line bg-sunken" : "border-line",
          )}
        >
          <textarea
            ref={input}
            autoFocus={autoFocus}
            aria-label="Message to the assistant"
            aria-describedby={hint}
            aria-disabled={blocked ? true : undefined}
            readOnly={Boolean(blocked)}
            rows={Math.min(LINES, text.split("\n").length)}
            value={text}
            placeholder={blocked ? "Waits for your decision" : "Ask, or say what to tune"}
            onChange={(event) => type(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
              event.preventDefault();
              send();
            }}
            className="max-h-60 min-h-8 min-w-0 flex-1 resize-none bg-transparent py-[5px] outline-none field-sizing-content"
          />
          {onStop ? (
            <IconButton
              variant="plain"
              label="Stop"
              icon={<Square className="size-3 fill-current" />}
              pending={sending === "stop"}
              onClick={() => void work("stop", onStop)}
            />
          ) : (
            <IconButton
              type="submit"
              variant="primary"
              label="Send"
              icon={<ArrowUp className={ICON} />}
              pending={sending === "message"}
              disabled={!can}
            />
          )}
        </div>
        <p
          id={hint}
          className={cx("h-4 truncate text-center text-xs text-faint", hinted !== BUSY && "max-sm:hidden")}
        >
          {hinted}
        </p>
      </div>
    </form>
  );
}
