import { useQuery } from "@tanstack/react-query";
import { PanelLeft, SquarePen } from "lucide-react";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router";
import { queries, type Schema } from "@/api";
import { compact, count } from "@/format";
import { Badge, Dialog, IconButton, Tooltip } from "@/kit";
import { SessionList } from "../sessions/SessionList";
import { SessionMenu } from "../sessions/SessionMenu";

/** Title, model and token usage of a conversation. Null: a new one. */
export function Header({ session }: { session: Schema<"Session"> | null | undefined }) {
  const go = useNavigate();
  const [listed, setListed] = useState(false);
  const agent = useQuery(queries.agent());
  const title = session === null ? "New conversation" : (session?.title ?? "");
  useEffect(() => {
    document.title = `${title || "Chat"} · Autotuner`;
  }, [title]);
  const used = session ? session.input_tokens + session.output_tokens : 0;
  return (
    <header className="flex h-12 shrink-0 items-center gap-2 border-b border-line px-3 md:px-4">
      <div className="flex lg:hidden">
        <Dialog
          open={listed}
          onOpenChange={setListed}
          title="Conversations"
          trigger={
            <IconButton label="Conversations" tooltip={false} icon={<PanelLeft className="size-4" />} />
          }
        >
          <div className="-mx-3 h-[60dvh]">
            <SessionList current={session?.id} onChosen={() => setListed(false)} />
          </div>
        </Dialog>
      </div>
      <h1 className="min-w-0 flex-1 truncate text-base font-semibold">{title}</h1>
      {session && used > 0 && (
        <span
          className="num hidden shrink-0 text-xs text-muted sm:inline"
          title={`${count(session.input_tokens)} tokens read, ${count(session.output_tokens)} written`}
        >
          {compact(session.input_tokens)} in, {compact(session.output_tokens)} out
        </span>
      )}
      {agent.data && (
        <Tooltip text={agent.data.offline ? OFFLINE : `${agent.data.model} answers.`}>
          <button type="button" className="cursor-default rounded" aria-label={`Model: ${agent.data.model}`}>
            <Badge intent={agent.data.offline ? "warn" : "neutral"} className="max-w-40">
              <span className="truncate">{agent.data.offline ? "offline" : agent.data.model}</span>
            </Badge>
          </button>
        </Tooltip>
      )}
      <div className="flex lg:hidden">
        <IconButton
          label="New conversation"
          icon={<SquarePen className="size-4" />}
          onClick={() => void go("/")}
        />
      </div>
      {session && <SessionMenu session={session} />}
    </header>
  );
}

const OFFLINE =
  "No language model is configured: a built-in one answers, which knows a small grammar. Say help for it.";
