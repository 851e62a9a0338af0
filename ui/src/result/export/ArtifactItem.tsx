import { useMutation } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { type Catalog, send } from "@/api";
import { saveFile } from "@/files/saveFile";
import { Button, CopyButton, cx, ErrorMessage } from "@/kit";
import { type Artifact, isText, wordsOf } from "./artifacts";

/** An export to download or copy, or why it is missing. */
export function ArtifactItem({ artifact, catalog }: { artifact: Artifact; catalog: Catalog | undefined }) {
  const { url, missing } = artifact;
  const { label, detail } = wordsOf(artifact, catalog);
  const saving = useMutation({ mutationFn: () => saveFile(url) });
  return (
    <li className="py-2.5">
      <div className="flex min-h-8 items-center gap-2">
        <div className="min-w-0 flex-1">
          <div className={cx("text-sm font-medium", missing !== null && "text-muted")}>{label}</div>
          <div className="break-words text-xs text-muted">{detail}</div>
        </div>
        {missing === null && (
          <>
            {isText(artifact) && (
              <CopyButton label={`Copy ${label}`} text={async () => (await send(url)).text()} size="md" />
            )}
            <Button
              aria-label={`Download ${label}`}
              icon={<Download className="size-4" />}
              pending={saving.isPending}
              onClick={() => saving.mutate()}
            >
              <span className="max-sm:hidden">Download</span>
            </Button>
          </>
        )}
      </div>
      {saving.isError && <ErrorMessage error={saving.error} compact className="mt-2" />}
    </li>
  );
}
