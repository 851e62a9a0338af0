import { previewFacts } from "../calls/callText";
import type { Approval } from "../thread/model";
import { Warning } from "./Warning";

/** Preview of a call as key-value pairs, or its problem. */
export function Preview({ preview }: { preview: Approval["preview"] }) {
  const found = previewFacts(preview);
  return (
    <>
      {typeof preview.problem === "string" && <Warning text={preview.problem} />}
      {found.length > 0 && (
        <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
          {found.map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="num break-words">{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}
