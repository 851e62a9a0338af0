import { useQuery } from "@tanstack/react-query";
import { Search, SquarePen } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { queries } from "@/api";
import { Button, ButtonLink, cx, ErrorMessage, Input, Loading } from "@/kit";
import { SessionRow } from "./SessionRow";

type Props = { current: string | undefined; onChosen?: () => void };

const PAGE = 50;
const MOST = 1000;

/** The list of conversations, last used first. */
export function SessionList({ current, onChosen }: Props) {
  const [text, setText] = useState("");
  const [limit, setLimit] = useState(PAGE);
  const wanted = useDeferredValue(text.trim());
  const found = useQuery(queries.sessions({ limit, ...(wanted === "" ? {} : { text: wanted }) }));
  const { items = [], total = 0 } = found.data ?? {};
  return (
    <div className="flex h-full min-h-0 w-full flex-col">
      <div className="space-y-2 p-3 pb-2">
        <ButtonLink to="/" onClick={onChosen} icon={<SquarePen className="size-4" />} className="w-full">
          New conversation
        </ButtonLink>
        <Input
          type="search"
          aria-label="Search conversations"
          placeholder="Search"
          before={<Search />}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <div
        className={cx("min-h-0 flex-1 overflow-y-auto px-2 pb-3", found.isPlaceholderData && "opacity-60")}
      >
        {found.isError ? (
          <ErrorMessage error={found.error} compact onRetry={() => void found.refetch()} />
        ) : found.data === undefined ? (
          <Loading label="Conversations" lines={8} className="px-2" />
        ) : items.length === 0 ? (
          <p className="px-2 py-6 text-center text-sm text-muted">
            {wanted === ""
              ? "No conversations yet. The first message begins one."
              : `Nothing with “${wanted}” in it.`}
          </p>
        ) : (
          <ul className="space-y-px">
            {items.map((session) => (
              <SessionRow
                key={session.id}
                session={session}
                current={session.id === current}
                onChosen={onChosen}
              />
            ))}
          </ul>
        )}
        {items.length < total && limit < MOST && (
          <Button
            variant="quiet"
            size="sm"
            className="mt-2 w-full"
            onClick={() => setLimit(Math.min(MOST, limit + PAGE * 2))}
          >
            Show more of {total}
          </Button>
        )}
      </div>
    </div>
  );
}
