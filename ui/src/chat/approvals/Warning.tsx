import { TriangleAlert } from "lucide-react";

/** A warning about a call. */
export function Warning({ text }: { text: string }) {
  return (
    <p className="flex gap-2 text-sm text-warn">
      <TriangleAlert className="mt-0.5 size-4 shrink-0" aria-hidden="true" />
      <span className="min-w-0 break-words">{text}</span>
    </p>
  );
}
