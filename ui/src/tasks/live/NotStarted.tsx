import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@/api";
import { Card, Code, ErrorMessage, Loading } from "@/kit";
import { taskFile } from "../spec/taskFile";
import { PlanPanel } from "../editor/PlanPanel";
import { usePlan } from "../editor/usePlan";

/** A task before its start: its file and plan. */
export function NotStarted({ task }: { task: Schema<"Task"> }) {
  const file = useQuery({
    queryKey: ["tasks", task.id, "file", task.spec],
    queryFn: () => taskFile(task.id),
  });
  const plan = usePlan(JSON.stringify(task.spec));
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Card title="Task file">
        {file.isError && <ErrorMessage compact error={file.error} onRetry={() => void file.refetch()} />}
        {file.isPending && <Loading label="The task file" height="20rem" />}
        {file.data !== undefined && <Code text={file.data} title="YAML" maxHeight="40rem" />}
      </Card>
      <PlanPanel plan={plan} problems={plan.data?.problems ?? []} />
    </div>
  );
}
