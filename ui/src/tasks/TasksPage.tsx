import { FileUp, ListChecks, Plus } from "lucide-react";
import { useEffect, useMemo, useRef } from "react";
import { useNavigate } from "react-router";
import { chooseFiles } from "@/files/chooseFiles";
import { DropArea } from "@/files/DropArea";
import { Button, ButtonLink, Empty, ErrorMessage, Loading, Page, Table, useMinWidth } from "@/kit";
import { COLUMNS } from "./list/columns";
import { Filters } from "./list/Filters";
import { counted, enginesOf, filtered } from "./list/rows";
import { useFilter } from "./list/useFilter";
import { useImport } from "./list/useImport";
import { useLiveRows } from "./list/useLiveRows";
import { useTasks } from "./list/useTasks";

const NEWEST = [{ id: "created", desc: true }];
const NO_TASKS = (
  <Empty
    icon={<ListChecks />}
    title="No tasks yet"
    action={
      <ButtonLink to="/tasks/new" variant="primary">
        New task
      </ButtonLink>
    }
  >
    A task says what to serve, which flags to try, under which load, and towards what. Write one, drop a task
    file here, or ask the assistant.
  </Empty>
);

/** The list of all tasks. */
export default function TasksPage() {
  const go = useNavigate();
  const take = useImport();
  const [filter, change] = useFilter();
  const { rows, list } = useTasks();
  const search = useRef<HTMLInputElement>(null);
  const shown = useLiveRows(useMemo(() => filtered(rows, filter), [rows, filter]));
  const [medium, wide, widest] = [useMinWidth(768), useMinWidth(1024), useMinWidth(1440)];
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
      event.preventDefault();
      search.current?.focus();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);
  return (
    <Page
      title="Tasks"
      fill
      actions={
        <>
          <Button icon={<FileUp className="size-3.5" />} onClick={async () => take(await chooseFiles(true))}>
            Import
          </Button>
          <ButtonLink to="/tasks/new" variant="primary" icon={<Plus className="size-3.5" />}>
            New task
          </ButtonLink>
        </>
      }
    >
      <DropArea
        what="Drop task files to import them"
        onFiles={(files) => void take(files)}
        className="flex min-h-0 flex-1 flex-col"
      >
        <Filters
          filter={filter}
          counts={counted(rows)}
          engines={enginesOf(rows)}
          search={search}
          onChange={change}
        />
        {list.isError ? (
          <ErrorMessage error={list.error} onRetry={() => void list.refetch()} />
        ) : list.isPending ? (
          <Loading label="Tasks" height="60vh" />
        ) : (
          <div className="flex min-h-0 flex-1 flex-col overflow-hidden rounded-lg border border-line bg-surface">
            <Table
              label="Tasks"
              data={shown}
              columns={COLUMNS}
              rowId={(row) => row.id}
              initialSorting={NEWEST}
              columnVisibility={{ progress: medium, engine: wide, created: wide, model: wide, time: widest }}
              onOpen={(row) => void go(`/tasks/${row.id}`)}
              empty={
                rows.length === 0 ? (
                  NO_TASKS
                ) : (
                  <Empty
                    title="No task like that"
                    action={
                      <Button onClick={() => change({ group: "all", engine: "", text: "" })}>
                        Show all tasks
                      </Button>
                    }
                  />
                )
              }
            />
          </div>
        )}
      </DropArea>
    </Page>
  );
}
