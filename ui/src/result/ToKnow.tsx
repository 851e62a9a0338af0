import { Card } from "@/kit";
import type { Result } from "./types";

/** What to know of the numbers of a result, by how many load levels it is about. */
export function ToKnow({ result }: { result: Result }) {
  if (result.notes.length === 0 && !result.drift) return null;
  return (
    <Card title="To know of these numbers">
      <ul className="space-y-2 text-sm">
        {result.notes.map((note) => (
          <li key={note.text}>
            <span className="font-medium">
              {note.levels} load level{note.levels === 1 ? "" : "s"}:
            </span>{" "}
            {note.text} <span className="text-muted">{note.where}</span>
          </li>
        ))}
        {result.drift && <li>{result.drift.text}</li>}
      </ul>
    </Card>
  );
}
