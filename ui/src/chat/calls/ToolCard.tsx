import { ChevronRight } from "lucide-react";
import { useId, useState } from "react";
import { bytes, count, duration } from "@/format";
import { argsSummary } from "@/format/argsSummary";
import { prettyJson } from "@/format/json";
import { Badge, Code, cx, Duration, Progress } from "@/kit";
import type { CallEntry } from "../thread/model";
import type { CallStatus } from "../thread/selectors";
import { CallIcon } from "./CallIcon";
import { argsOf, progressText, prettyResult, failureReason, STATUS_TEXT } from "./callText";

type Props = { entry: CallEntry; status: CallStatus };

const SHOWN: readonly CallStatus[] = ["approved", "rejected", "expired", "cancelled"];

/** A tool call in a line; arguments and result can be unfolded. */
export function ToolCard({ entry, status }: Props) {
  const [unfolded, setUnfolded] = useState(false);
  const id = useId();
  const args = argsOf(entry);
  const why = failureReason(entry);
  const tookS =
    entry.startedAt !== null && entry.endedAt !== null ? (entry.endedAt - entry.startedAt) / 1000 : null;
  return (
    <section
      className="min-w-0 rounded-lg border border-line bg-surface"
      aria-label={`${entry.tool}: ${STATUS_TEXT[status]}`}
    >
      <button
        type="button"
        aria-expanded={unfolded}
        aria-controls={id}
        onClick={() => setUnfolded(!unfolded)}
        className="focus-inset flex min-h-9 w-full items-center gap-2 rounded-lg px-3 py-1.5 text-left text-sm hover:bg-hover"
      >
        <CallIcon status={status} />
        <span className="shrink-0 font-mono text-xs font-medium">{entry.tool}</span>
        <span className="min-w-0 flex-1 truncate text-xs text-muted">{args && argsSummary(args)}</span>
        {entry.edited && <Badge intent="info">edited</Badge>}
        {SHOWN.includes(status) && <Badge>{STATUS_TEXT[status]}</Badge>}
        {tookS !== null && status === "done" && (
          <span className="num shrink-0 text-xs text-faint">{duration(tookS)}</span>
        )}
        {status === "running" && entry.startedAt !== null && (
          <Duration since={new Date(entry.startedAt).toISOString()} className="shrink-0 text-xs text-faint" />
        )}
        <ChevronRight
          className={cx("size-3.5 shrink-0 text-faint transition-transform", unfolded && "rotate-90")}
          aria-hidden="true"
        />
      </button>
      {status === "running" && entry.progress !== null && <LongWork entry={entry} />}
      {why !== "" && !unfolded && (
        <p
          className={cx(
            "mx-3 mb-2 ml-9 line-clamp-2 break-words text-xs",
            status === "failed" ? "text-bad" : "text-muted",
          )}
          title={why}
        >
          {why}
        </p>
      )}
      <div id={id} hidden={!unfolded}>
        {unfolded && (
          <div className="space-y-2 border-t border-line p-3">
            <Code
              title="Arguments"
              text={args === null ? entry.args : prettyJson(args)}
              maxHeight="20rem"
              wrap
            />
            {entry.result !== null && (
              <Code
                title={entry.failed ? "Why it failed" : "Result"}
                text={prettyResult(entry.result)}
                maxHeight="24rem"
                wrap
              />
            )}
            {why !== "" && entry.result === null && <p className="text-sm text-muted">{why}</p>}
          </div>
        )}
      </div>
    </section>
  );
}

function LongWork({ entry }: { entry: CallEntry }) {
  const said = progressText(entry, bytes, count);
  const total = entry.progress?.total ?? null;
  return (
    <div className="space-y-1 px-3 pb-2.5 pl-9">
      <Progress
        label={entry.tool}
        done={total === null ? null : (entry.progress?.done ?? 0)}
        total={total ?? 1}
        text={said}
      />
      <p className="num truncate text-xs text-muted">{said || "Working"}</p>
    </div>
  );
}
