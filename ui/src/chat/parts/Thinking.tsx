import { Spinner } from "@/kit";

/** The assistant thinks: nothing else on the page shows that it works. */
export function Thinking() {
  return (
    <p className="mx-auto flex h-7 w-full max-w-3xl items-center gap-2 text-sm text-muted">
      <Spinner />
      Thinking
    </p>
  );
}
