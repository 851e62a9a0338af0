import type { ReactNode } from "react";

/** A number with its name and a detail. */
export function Figure({
  name,
  detail = "",
  children,
}: {
  name: string;
  detail?: string;
  children: ReactNode;
}) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="num truncate text-lg font-semibold">{children}</dd>
      {/* Its line is there before its words are. */}
      <dd className="h-4 truncate text-xs text-muted">{detail}</dd>
    </div>
  );
}
