import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { problemOf, type Schema, sendText } from "@/api";
import { fileText } from "@/files/chooseFiles";
import { plural } from "@/format";
import { toast, toastError } from "@/kit";
import { importText } from "@/yaml/document";
import { writeUnsaved } from "../editor/unsaved";
import { planOf } from "../editor/usePlan";

/** Imports task files: one is opened in the editor, several are checked and saved as drafts. */
export function useImport(): (files: File[]) => Promise<void> {
  const go = useNavigate();
  const client = useQueryClient();
  return async (files) => {
    const [first] = files;
    if (!first) return;
    if (files.length === 1) {
      try {
        writeUnsaved("new", importText(await fileText(first)));
        void go("/tasks/new");
      } catch (error) {
        toastError(error);
      }
      return;
    }
    let made = 0;
    for (const file of files) {
      try {
        const text = importText(await fileText(file));
        const { problems } = await client.fetchQuery(planOf(text));
        if (problems.length > 0) throw new Error(problems.map((place) => place.message).join("; "));
        await sendText<Schema<"Task">>("POST", "/api/tasks", text);
        made += 1;
      } catch (error) {
        toast(`${file.name}: ${problemOf(error).detail}`, { intent: "bad" });
      }
    }
    if (made > 0) toast(`${plural(made, "task")} imported as drafts.`, { intent: "ok" });
    await client.invalidateQueries({ queryKey: ["tasks"] });
  };
}
