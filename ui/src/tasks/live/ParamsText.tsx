import type { Params } from "@/liveTask/reduce";

/** Parameters in a line. */
export function ParamsText({ params, className = "" }: { params: Params; className?: string }) {
  const all = Object.entries(params);
  if (all.length === 0) return <span className={`text-sm text-muted ${className}`}>engine defaults</span>;
  return (
    <span className={`font-mono text-xs ${className}`}>
      {all.map(([name, value]) => (
        <span key={name} className="mr-3 inline-block">
          <span className="text-muted">{name}=</span>
          {String(value)}
        </span>
      ))}
    </span>
  );
}
