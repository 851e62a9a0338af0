import { useQuery } from "@tanstack/react-query";
import { ShieldQuestion } from "lucide-react";
import { queries } from "@/api";
import { argsSummary } from "@/format/argsSummary";
import { dateTime } from "@/format";
import { ButtonLink, Card, Empty, ErrorMessage, Loading, Time } from "@/kit";

/** Polling interval: there is no stream of all conversations. */
const AGAIN_MS = 10_000;

/** Open approvals of all conversations. */
export function OpenApprovals() {
  const open = useQuery({ ...queries.approvals({ state: "open" }), refetchInterval: AGAIN_MS });
  if (open.isError) return <ErrorMessage error={open.error} onRetry={() => void open.refetch()} />;
  if (!open.data) return <Loading height="9rem" label="Open approvals" />;
  const { items, total } = open.data;
  return (
    <Card
      title="Waiting for a decision"
      actions={total > 0 && <span className="num text-sm text-muted">{total}</span>}
      padded={false}
    >
      {items.length === 0 ? (
        <Empty icon={<ShieldQuestion />} title="Nothing waits" className="py-8">
          A call that asks appears here, whichever conversation it is of.
        </Empty>
      ) : (
        <ul className="divide-y divide-line">
          {items.map((one) => (
            <li key={one.id} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2.5 text-sm">
              <div className="min-w-0 flex-1 basis-64">
                <code className="font-mono text-xs font-medium">{one.tool}</code>
                <p className="break-words text-muted">{argsSummary(one.args) || "without arguments"}</p>
                <p className="text-xs text-muted">
                  Asked <Time at={one.created_at} />, can be decided until {dateTime(one.expires_at)}
                </p>
              </div>
              <ButtonLink to={`/chat/${one.session_id}`}>Decide in the conversation</ButtonLink>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
