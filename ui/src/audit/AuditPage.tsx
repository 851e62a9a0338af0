import { RefreshCw } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { count, plural } from "@/format";
import { Button, Card, Empty, ErrorMessage, Loading, Page, Table, useMinWidth } from "@/kit";
import { columns } from "./columns";
import { EntryDialog } from "./EntryDialog";
import { toolsOf } from "./entries";
import { EVERYTHING, type Filter, filterOf } from "./filter";
import { Filters } from "./Filters";
import { useAudit } from "./useAudit";

/** The audit log of all conversations. The filter is kept in the URL. */
export default function AuditPage() {
  const [params, setParams] = useSearchParams();
  // State of its own: the URL is updated later than a key is pressed.
  const [filter, setFilter] = useState(() => filterOf(params));
  const { found, entries, recent, opened } = useAudit(filter, params.get("entry"));
  const wide = useMinWidth(768);
  const tools = useMemo(() => toolsOf(recent, filter.tool), [recent, filter.tool]);
  const change = (next: Filter, entry?: string) => {
    const said = Object.entries({ ...next, entry: entry ?? "" }).filter(([, value]) => value !== "");
    setFilter(next);
    setParams(Object.fromEntries(said), { replace: entry === undefined });
  };
  const { fetchNextPage, hasNextPage, isFetching } = found;
  const more = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  const shown = hasNextPage
    ? `the newest ${count(entries.length)}`
    : plural(entries.length, "entry", "entries");
  const nothing = entries.length === 0 && !Object.values(filter).some(Boolean);
  return (
    <Page
      title="Audit"
      fill
      detail="What was proposed, decided, granted and run. It is only ever added to."
      actions={
        <Button
          icon={<RefreshCw className="size-4" />}
          pending={isFetching}
          onClick={() => void found.refetch()}
        >
          Read again
        </Button>
      }
    >
      {found.isError ? (
        <ErrorMessage error={found.error} onRetry={() => void found.refetch()} />
      ) : !found.data ? (
        <Loading height="30rem" label="The audit log" />
      ) : nothing ? (
        <Card>
          <Empty title="Nothing has happened yet">
            As soon as the assistant proposes a privileged call, it is written down here.
          </Empty>
        </Card>
      ) : (
        <section
          aria-label="The audit log"
          className="flex min-h-0 flex-1 flex-col overflow-hidden rounded-lg border border-line bg-surface"
        >
          <Filters tools={tools} filter={filter} shown={shown} onChange={change} />
          <Table
            label="Audit log"
            data={entries}
            columns={columns}
            columnVisibility={{ who: wide, at: wide, ago: !wide }}
            rowId={(entry) => String(entry.sequence)}
            onEnd={more}
            onOpen={(entry) => change(filter, String(entry.sequence))}
            empty={
              <Empty
                title="None of these"
                action={<Button onClick={() => change(EVERYTHING)}>Show everything</Button>}
              >
                No entry is like that.
              </Empty>
            }
          />
        </section>
      )}
      {opened && (
        <EntryDialog
          entry={opened}
          onClose={() => change(filter)}
          onSession={(session) => change({ ...EVERYTHING, session })}
        />
      )}
    </Page>
  );
}
