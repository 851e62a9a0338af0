import { plural } from "@/format";

/** Says to screen readers how the turn stands; the words of an answer are read where they are. */
export function Announcer({ running, waiting }: { running: boolean; waiting: number }) {
  const said =
    waiting > 0
      ? `${plural(waiting, "call")} to decide on`
      : running
        ? "The assistant works"
        : "It is your turn";
  return (
    <p role="status" className="sr-only">
      {said}
    </p>
  );
}
