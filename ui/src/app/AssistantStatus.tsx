import { useQuery } from "@tanstack/react-query";
import { connection, queries } from "@/api";
import { cx, Tooltip } from "@/kit";
import { useStore } from "@/state/store";

/** Which model answers in the chat, and whether the service is there at all. */
export function AssistantStatus({ folded }: { folded: boolean }) {
  const lost = useStore(connection) === "lost";
  const { data, isError } = useQuery(queries.agent());
  const name = data ? (data.offline ? "offline model" : data.model) : isError ? "no assistant" : "…";
  const said = lost
    ? "The service does not answer"
    : data?.offline
      ? "Connected. No language model is configured: a built-in one answers, which knows a small grammar."
      : data
        ? `Connected. ${data.model} answers in the chat.`
        : isError
          ? "Connected. The assistant could not be started; the service’s output says why."
          : "Connected. The assistant is being loaded.";
  return (
    <Tooltip text={said} side="right">
      <button
        type="button"
        aria-label={said}
        className={cx(
          "flex h-7 min-w-0 cursor-default items-center gap-2 rounded-md text-xs text-muted",
          folded ? "size-7 justify-center" : "flex-1 px-1.5",
        )}
      >
        <span
          className={cx(
            "size-2 shrink-0 rounded-full",
            lost ? "bg-warn" : isError ? "bg-bad" : "bg-ok",
            !data && !isError && "opacity-40",
          )}
        />
        {!folded && <span className="truncate">{lost ? "not connected" : name}</span>}
      </button>
    </Tooltip>
  );
}
