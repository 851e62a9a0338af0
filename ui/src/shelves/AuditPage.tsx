import { useQuery } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { Button, Card, Empty, Failure, Loading, Page, Table } from "@/kit";
import { columns } from "./audit/columns";
import { audit } from "./audit/entries";
import { EntryDialog } from "./audit/EntryDialog";
import { EVERYTHING, type Filter, filtered } from "./audit/filter";
import { Filters } from "./audit/Filters";

/** What was proposed, decided, granted and run, in every conversation. What is looked for stands in the address. */
export default function AuditPage() {
  const [params, setParams] = useSearchParams();
  const entries = useQuery(audit());
  const filter: Filter = useMemo(
    () => ({
      action: params.get("action") ?? "",
      tool: params.get("tool") ?? "",
      text: params.get("text") ?? "",
      session: params.get("session") ?? "",
    }),
    [params],
  );
  const shown = useMemo(() => filtered(entries.data ?? [], filter), [entries.data, filter]);
  const opened = entries.data?.find((one) => String(one.sequence) === params.get("entry"));
  const change = (next: Filter, entry?: string) => {
    const said = Object.entries({ ...next, entry: entry ?? "" }).filter(([, value]) => value !== "");
    setParams(Object.fromEntries(said), { replace: entry === undefined });
  };
  return (
    <Page
      title="Audit"
      fill
      detail="What was proposed, decided, granted and run. It is only ever added to."
      actions={
        <Button
          icon={<RefreshCw className="size-4" />}
          pending={entries.isFetching}
          onClick={() => void entries.refetch()}
        >
          Read again
        </Button>
      }
    >
      {entries.isError ? (
        <Failure error={entries.error} onRetry={() => void entries.refetch()} />
      ) : !entries.data ? (
        <Loading height="30rem" label="The audit log" />
      ) : entries.data.length === 0 ? (
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
          <Filters entries={entries.data} filter={filter} shown={shown.length} onChange={change} />
          <Table
            label="Audit log"
            data={shown}
            columns={columns}
            rowId={(entry) => String(entry.sequence)}
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
