import { usePrefetchQuery, useQuery } from "@tanstack/react-query";
import { Copy } from "lucide-react";
import { Link, useParams } from "react-router";
import { type Schema, api, call, queries } from "@/api";
import { ButtonLink, Empty, ErrorMessage, Loading, Page } from "@/kit";
import { read } from "@/yaml/document";
import { taskFile } from "./spec/taskFile";
import { patchOf } from "./spec/patch";
import { TaskEditor } from "./editor/TaskEditor";

/** Editor of a task that has not been started. */
export default function EditTaskPage() {
  const { id = "" } = useParams();
  usePrefetchQuery(queries.catalog());
  const begin = useQuery({
    queryKey: ["draft", "edit", id],
    queryFn: async () => {
      const task = await call(api.GET("/api/tasks/{task}", { params: { path: { task: id } } }));
      return { task, text: task.state === "created" ? await taskFile(id) : "" };
    },
    staleTime: Infinity,
    gcTime: 0,
  });
  const held = begin.data;
  if (held?.task.state === "created") return <Editing key={held.task.id} {...held} />;
  return (
    <Page title="Edit task">
      {begin.isError && <ErrorMessage error={begin.error} onRetry={() => void begin.refetch()} />}
      {begin.isPending && <Loading height="480px" />}
      {held && (
        <Empty
          title={`${held.task.spec.task_name} has been started`}
          action={
            <>
              <ButtonLink to={`/tasks/new?from=${id}`} variant="primary" icon={<Copy className="size-3.5" />}>
                Edit a copy
              </ButtonLink>
              <ButtonLink to={`/tasks/${id}`}>Back to the task</ButtonLink>
            </>
          }
        >
          Its experiments belong to the task as it was written, so it stays as it is.
        </Empty>
      )}
    </Page>
  );
}

function Editing({ task, text }: { task: Schema<"Task">; text: string }) {
  return (
    <TaskEditor
      title={`Edit ${task.spec.task_name}`}
      detail={
        <Link to={`/tasks/${task.id}`} className="hover:text-text">
          Back to the task
        </Link>
      }
      name={task.id}
      initial={text}
      save={async (next) => {
        const now = await call(api.GET("/api/tasks/{task}", { params: { path: { task: task.id } } }));
        const body = patchOf(now.spec, saidBy(next));
        return call(api.PATCH("/api/tasks/{task}", { params: { path: { task: task.id } }, body }));
      }}
    />
  );
}

/** The parsed task; throws where the YAML is invalid. */
function saidBy(text: string) {
  const { data, errors } = read(text);
  if (data) return data;
  throw new Error(`Line ${errors[0]?.line}: ${errors[0]?.message}. Mend the YAML first.`);
}
