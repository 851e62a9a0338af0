import { Spinner } from "@/kit";

/** Shown while a run is active without visible output. */
export function Thinking() {
  return (
    <p className="mx-auto flex h-7 w-full max-w-3xl items-center gap-2 text-sm text-muted">
      <Spinner />
      Thinking
    </p>
  );
}
