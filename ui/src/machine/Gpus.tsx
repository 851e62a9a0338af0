import type { Schema } from "@/api";
import { gib, percent } from "@/format";
import { UsageBar } from "./UsageBar";

/** Each GPU with its memory and use. */
export function Gpus({ gpus }: { gpus: readonly Schema<"GPU">[] }) {
  if (gpus.length === 0) {
    return (
      <p className="text-sm text-muted">
        No NVIDIA GPU answers here, so engines run on the processor. With a driver and a GPU, both show up by
        themselves.
      </p>
    );
  }
  return (
    <ul className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
      {gpus.map((gpu) => {
        const used = gpu.memory_gib - gpu.free_gib;
        return (
          <li key={gpu.id} className="min-w-0">
            <div className="flex items-baseline gap-2">
              <span className="num text-xs text-faint">{gpu.index}</span>
              <span className="min-w-0 truncate text-sm font-medium" title={gpu.id}>
                {gpu.name}
              </span>
              <span className="num ml-auto text-xs text-muted">
                {percent(gpu.utilization, { digits: 0 })} busy
              </span>
            </div>
            <UsageBar label={`Memory of GPU ${gpu.index} in use`} part={used / gpu.memory_gib} />
            <div className="num mt-1 text-xs text-muted">
              {gib(gpu.free_gib)} free of {gib(gpu.memory_gib)}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
