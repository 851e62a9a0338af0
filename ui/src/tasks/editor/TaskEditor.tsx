import { Download, FileUp, RotateCcw } from "lucide-react";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import type { Schema } from "@/api";
import { chooseFiles, fileText } from "@/files/chooseFiles";
import { download } from "@/files/download";
import { DropArea } from "@/files/DropArea";
import { Button, IconButton, Loading, Page, Tabs, toast, toastError } from "@/kit";
import { get, importText } from "@/yaml/document";
import { applyPreset } from "../spec/preset";
import { type Place } from "../spec/places";
import { FormContext } from "../form/context";
import { TaskForm } from "../form/TaskForm";
import { marksOf } from "./marks";
import { PlanPanel } from "./PlanPanel";
import { PresetMenu } from "./PresetMenu";
import { SaveBar } from "./SaveBar";
import { showField } from "./showField";
import { Unreadable } from "./Unreadable";
import { useEditor } from "./useEditor";

const YamlEditor = lazy(() => import("../../yaml/YamlEditor"));

type Props = {
  title: string;
  detail?: ReactNode;
  /** Key under which the unsaved text is kept. */
  name: string;
  initial: string;
  /** Saves the text; the resulting task. */
  save: (text: string) => Promise<Schema<"Task">>;
};

type View = "form" | "yaml";

/** Editor of a task: form and YAML are two views of one text, beside its plan. */
export function TaskEditor({ title, detail, name, initial, save }: Props) {
  const { state, dispatch, plan, problems, form, changed } = useEditor(name, initial);
  const { draft } = state;
  const [view, setView] = useState<View>("form");
  const [line, setLine] = useState<{ number: number } | null>(null);
  const marks = useMemo(() => marksOf(draft, problems), [draft, problems]);

  const replace = (text: string, said: string) => {
    const before = draft.text;
    dispatch({ kind: "typed", text });
    const undo = { label: "Undo", onSelect: () => dispatch({ kind: "typed", text: before }) };
    toast(said, { action: undo });
  };
  const take = async ([file]: File[]) => {
    if (!file) return;
    try {
      replace(importText(await fileText(file)), `${file.name} is imported.`);
    } catch (error) {
      toastError(error);
    }
  };
  const show = (place: Place) => {
    if (view === "form" && place.where && showField(place.where)) return;
    setView("yaml");
    setLine({ number: place.line ?? 1 });
  };
  const called = get(draft.data, ["task_name"]);
  const engine = get(draft.data, ["base_runtime"]);
  const save_ = () =>
    download(new Blob([draft.text], { type: "application/yaml" }), `${String(called || "task")}.yaml`);
  return (
    <Page
      title={title}
      detail={detail}
      fill
      actions={
        <>
          {changed && (
            <IconButton
              label="Start over"
              icon={<RotateCcw className="size-4" />}
              onClick={() => replace(initial, "It is as it was at the beginning.")}
            />
          )}
          <PresetMenu
            engine={typeof engine === "string" ? engine : ""}
            onPick={(preset) =>
              replace(applyPreset(draft.text, preset), `The preset ${preset.name} is applied.`)
            }
          />
          <Button icon={<FileUp className="size-3.5" />} onClick={async () => take(await chooseFiles(false))}>
            Import
          </Button>
          <Button icon={<Download className="size-3.5" />} onClick={save_}>
            Export
          </Button>
        </>
      }
    >
      <DropArea
        what="Drop a task file to import it"
        onFiles={(files) => void take(files)}
        className="flex min-h-0 flex-1 flex-col"
      >
        <div className="grid min-h-0 flex-1 auto-rows-max gap-4 overflow-y-auto lg:grid-cols-[minmax(0,1fr)_22rem] lg:grid-rows-1 lg:overflow-hidden">
          <div className="min-h-0 lg:-mr-2 lg:overflow-y-auto lg:pr-2">
            <Tabs<View>
              label="Views of the task"
              value={view}
              onChange={setView}
              tabs={[
                {
                  value: "form",
                  label: "Form",
                  content: (
                    <FormContext value={form}>
                      {draft.data ? <TaskForm /> : <Unreadable errors={draft.errors} onShow={show} />}
                    </FormContext>
                  ),
                },
                {
                  value: "yaml",
                  label: "YAML",
                  content: (
                    <div className="h-[max(24rem,calc(100dvh-12.75rem))]">
                      <Suspense fallback={<Loading label="The editor" height="24rem" />}>
                        <YamlEditor
                          label="Task file"
                          text={draft.text}
                          marks={marks}
                          line={line}
                          onChange={(text) => dispatch({ kind: "typed", text })}
                        />
                      </Suspense>
                    </div>
                  ),
                },
              ]}
            />
          </div>
          <aside aria-label="Plan" className="min-h-0 pb-2 lg:overflow-y-auto">
            <PlanPanel plan={plan} problems={problems} onShow={show} />
          </aside>
        </div>
        <SaveBar
          plan={plan}
          problems={problems}
          onAttempt={() => dispatch({ kind: "attempted" })}
          onShow={show}
          save={save}
          text={draft.text}
          name={name}
        />
      </DropArea>
    </Page>
  );
}
