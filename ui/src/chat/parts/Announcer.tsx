import { plural } from "@/format";

/** Announces the state of the turn to screen readers. */
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
