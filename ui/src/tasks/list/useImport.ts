import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { problemOf, type Schema, sendText } from "@/api";
import { plural } from "@/format";
import { toast } from "@/kit";
import { imported } from "../draft/yaml";
import { textOf } from "../editor/files";
import { keep } from "../editor/keep";
import { planOf } from "../editor/usePlan";

/** Takes task files in: one is opened in the editor, several become drafts, each checked completely. */
export function useImport(): (files: File[]) => Promise<void> {
  const go = useNavigate();
  const client = useQueryClient();
  return async (files) => {
    const [first] = files;
    if (!first) return;
    if (files.length === 1) {
      try {
        keep("new", imported(await textOf(first)));
        void go("/tasks/new");
      } catch (error) {
        toast(problemOf(error).detail, { tone: "bad" });
      }
      return;
    }
    let made = 0;
    for (const file of files) {
      try {
        const text = imported(await textOf(file));
        const { problems } = await client.fetchQuery(planOf(text));
        if (problems.length > 0) throw new Error(problems.map((place) => place.message).join("; "));
        await sendText<Schema<"Task">>("POST", "/api/tasks", text);
        made += 1;
      } catch (error) {
        toast(`${file.name}: ${problemOf(error).detail}`, { tone: "bad" });
      }
    }
    if (made > 0) toast(`${plural(made, "task")} imported as drafts.`, { tone: "ok" });
    await client.invalidateQueries({ queryKey: ["tasks"] });
  };
}
