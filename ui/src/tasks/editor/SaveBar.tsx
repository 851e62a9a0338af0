import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { useNavigate } from "react-router";
import { api, call, problemOf, type Schema } from "@/api";
import { duration, plural } from "@/format";
import { Button, ErrorMessage, toast } from "@/kit";
import type { Place } from "../spec/places";
import { writeUnsaved } from "./unsaved";
import { planOf, type usePlan } from "./usePlan";

type Props = {
  name: string;
  text: string;
  plan: ReturnType<typeof usePlan>;
  problems: readonly Place[];
  onAttempt: () => void;
  onShow: (place: Place) => void;
  save: (text: string) => Promise<Schema<"Task">>;
};

/** Summary of the plan, and the buttons to save and start. */
export function SaveBar({ name, text, plan, problems, onAttempt, onShow, save }: Props) {
  const go = useNavigate();
  const client = useQueryClient();
  const work = useMutation({
    mutationFn: async (start: boolean) => {
      onAttempt();
      // Checked again before saving: the last plan may be of an earlier text.
      const { problems } = await client.fetchQuery({ ...planOf(text), staleTime: Infinity });
      const [first] = problems;
      if (first) {
        onShow(first);
        return null;
      }
      const task = await save(text);
      writeUnsaved(name, null);
      if (start) await begin(task.id);
      return task;
    },
    onSuccess: async (task) => {
      if (!task) return;
      await client.invalidateQueries({ queryKey: ["tasks"] });
      void go(`/tasks/${task.id}`);
    },
  });
  const summary = plan.data?.plan;
  const missing = (summary?.missing ?? []).join(" ");
  const said =
    problems.length > 0
      ? `${plural(problems.length, "thing")} to mend`
      : summary
        ? `${plural(summary.experiments, "experiment")}, at most ${duration(summary.at_most_s)}`
        : "";
  const busy = (start: boolean) => work.isPending && work.variables === start;
  return (
    <footer className="-mx-4 border-t border-line bg-bg px-4 pt-3 md:-mx-6 md:px-6">
      {work.isError && <ErrorMessage compact error={work.error} className="mb-3 max-h-40 overflow-y-auto" />}
      <div className="flex items-center gap-2">
        <output
          className={`num min-w-0 flex-1 text-xs sm:text-sm ${problems.length > 0 ? "text-bad" : "text-muted"}`}
        >
          {said}
        </output>
        <Button pending={busy(false)} disabled={work.isPending} onClick={() => work.mutate(false)}>
          Save
        </Button>
        <Button
          variant="primary"
          icon={<Play className="size-3.5" />}
          pending={busy(true)}
          disabled={work.isPending || missing !== ""}
          title={missing || undefined}
          onClick={() => work.mutate(true)}
        >
          Save and start
        </Button>
      </div>
    </footer>
  );
}

/** Starts a saved task; a failure is only reported. */
async function begin(task: string): Promise<void> {
  try {
    await call(api.POST("/api/tasks/{task}/start", { params: { path: { task } } }));
  } catch (error) {
    toast(`Saved, and not started: ${problemOf(error).detail}`, { intent: "bad" });
  }
}
