import { useQuery } from "@tanstack/react-query";
import { Download, Ellipsis, FileUp, Layers, Plus } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { queries } from "@/api";
import { Button, ErrorMessage, IconButton, Loading, Menu, Page, toastError } from "@/kit";
import { saveFile } from "@/files/saveFile";
import { DropArea } from "@/files/DropArea";
import { chooseFiles } from "@/files/chooseFiles";
import { ImportDialog } from "./ImportDialog";
import { MergeDialog } from "./MergeDialog";
import { PresetBrowser } from "./PresetBrowser";

/** Presets: named parts of a task. Shows, edits, imports, exports and merges them. */
export default function PresetsPage() {
  const presets = useQuery(queries.presets());
  const [, setParams] = useSearchParams();
  const [files, setFiles] = useState<readonly File[]>([]);
  const [merging, setMerging] = useState(false);
  const own = presets.data?.some((one) => !one.built_in) ?? false;
  const exportAll = () => void saveFile("/api/presets/export").catch(toastError);
  return (
    <DropArea what="Import presets" onFiles={setFiles} className="h-full">
      <Page
        title="Presets"
        detail="Parts of a task under a name, to begin tasks with."
        actions={
          <>
            <Button
              className="max-sm:hidden"
              icon={<Layers className="size-4" />}
              onClick={() => setMerging(true)}
              disabled={!presets.data}
            >
              Merge
            </Button>
            <Menu
              trigger={
                <IconButton
                  variant="plain"
                  tooltip={false}
                  label="More"
                  icon={<Ellipsis className="size-4" />}
                />
              }
              items={[
                {
                  label: "Merge presets …",
                  icon: <Layers />,
                  disabled: !presets.data,
                  onSelect: () => setMerging(true),
                },
                "line",
                {
                  label: "Import files …",
                  icon: <FileUp />,
                  onSelect: () => void chooseFiles(true).then(setFiles),
                },
                { label: "Export all of mine", icon: <Download />, disabled: !own, onSelect: exportAll },
              ]}
            />
            <Button
              variant="primary"
              icon={<Plus className="size-4" />}
              onClick={() => setParams({ new: "" })}
            >
              New preset
            </Button>
          </>
        }
      >
        {presets.isError ? (
          <ErrorMessage error={presets.error} onRetry={() => void presets.refetch()} />
        ) : presets.data ? (
          <PresetBrowser presets={presets.data} />
        ) : (
          <Loading height="30rem" label="Presets" />
        )}
      </Page>
      {merging && presets.data && <MergeDialog presets={presets.data} onClose={() => setMerging(false)} />}
      {files.length > 0 && <ImportDialog files={files} onClose={() => setFiles([])} />}
    </DropArea>
  );
}
