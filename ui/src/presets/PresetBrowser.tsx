import { Bookmark } from "lucide-react";
import { useSearchParams } from "react-router";
import { Card, Empty } from "@/kit";
import { PresetEditor } from "./PresetEditor";
import { PresetList } from "./PresetList";
import { PresetView } from "./PresetView";
import { TEMPLATE, copyOfPreset, presetFile } from "./presetFile";
import type { Preset } from "./types";

/** The list of presets and the selected one, shown or edited. The selection is kept in the URL. */
export function PresetBrowser({ presets }: { presets: readonly Preset[] }) {
  const [params, setParams] = useSearchParams();
  const names = presets.map((one) => one.name);
  const shown = presets.find((one) => one.name === params.get("name"));
  const base = presets.find((one) => one.name === params.get("new"));
  const show = (name: string) => setParams({ name });
  const content = params.has("new") ? (
    <PresetEditor
      key={`new ${base?.name ?? ""}`}
      title="New preset"
      name={null}
      initial={base ? copyOfPreset(base, names) : TEMPLATE}
      onDone={show}
      onCancel={() => setParams(base ? { name: base.name } : {})}
    />
  ) : shown && params.has("edit") && !shown.built_in ? (
    <PresetEditor
      key={shown.name}
      title={`Edit ${shown.name}`}
      name={shown.name}
      initial={presetFile(shown)}
      onDone={show}
      onCancel={() => show(shown.name)}
    />
  ) : shown ? (
    <PresetView
      preset={shown}
      onEdit={() => setParams({ name: shown.name, edit: "" })}
      onCopy={() => setParams({ new: shown.name })}
      onGone={() => setParams({})}
      onBack={() => setParams({})}
    />
  ) : null;
  return (
    <div className="grid min-w-0 items-start gap-4 lg:grid-cols-[22rem_minmax(0,1fr)]">
      <div className={content ? "max-lg:hidden" : ""}>
        <PresetList presets={presets} shown={shown?.name ?? null} onShow={show} />
      </div>
      {content ?? (
        <Card className="max-lg:hidden">
          <Empty
            icon={<Bookmark />}
            title={params.has("name") ? `There is no preset “${params.get("name")}”` : "Choose a preset"}
          >
            Its part of a task is shown here. Those that are built in stay as they are; copy one to change it.
          </Empty>
        </Card>
      )}
    </div>
  );
}
