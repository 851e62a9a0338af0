import { usePrefetchQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { queries, type Schema, sendText } from "@/api";
import { ErrorMessage, Loading, Page } from "@/kit";
import { get, read, set } from "@/yaml/document";
import { taskFile } from "./spec/taskFile";
import { applyPreset } from "./spec/preset";
import { firstEngine, newTask } from "./spec/newTask";
import { TaskEditor } from "./editor/TaskEditor";

const save = (text: string) => sendText<Schema<"Task">>("POST", "/api/tasks", text);

/** A new task: from nothing, from another one (`?from=`), or from presets (`?preset=`). */
export default function NewTaskPage() {
  usePrefetchQuery(queries.catalog());
  const [search] = useSearchParams();
  const client = useQueryClient();
  const from = search.get("from");
  const presets = search.getAll("preset");
  const begin = useQuery({
    queryKey: ["draft", from, presets],
    staleTime: Infinity,
    queryFn: async () => {
      if (from) return copied(await taskFile(from));
      const [engines, catalog] = await Promise.all([
        client.ensureQueryData(queries.engines()),
        client.ensureQueryData(queries.catalog()).catch(() => undefined), // A task can be written without it.
      ]);
      const text = newTask(firstEngine(engines, catalog), catalog);
      const chosen = await Promise.all(presets.map((name) => client.ensureQueryData(queries.preset(name))));
      return chosen.reduce(applyPreset, text);
    },
  });
  const title = from ? "Copy of a task" : "New task";
  if (begin.data !== undefined) {
    const name = search.size > 0 ? `new?${search.toString()}` : "new";
    return <TaskEditor key={name} title={title} name={name} initial={begin.data} save={save} />;
  }
  return (
    <Page title={title}>
      {begin.isError ? (
        <ErrorMessage error={begin.error} onRetry={() => void begin.refetch()} />
      ) : (
        <Loading height="480px" />
      )}
    </Page>
  );
}

function copied(text: string): string {
  const name = get(read(text).data, ["task_name"]);
  return set(text, ["task_name"], `${String(name)} copy`);
}
