import { useQuery } from "@tanstack/react-query";
import { queries } from "@/api";
import { gib, percent, plural } from "@/format";
import { Card, ErrorMessage, Loading } from "@/kit";
import { UsageBar } from "./UsageBar";
import { Gpus } from "./Gpus";
import { OFTEN_MS } from "./refresh";

/** Processors, memory and GPUs of this machine, now. */
export function HardwareCard() {
  const hardware = useQuery({ ...queries.hardware(), refetchInterval: OFTEN_MS });
  if (hardware.isError)
    return <ErrorMessage error={hardware.error} onRetry={() => void hardware.refetch()} />;
  if (!hardware.data) return <Loading height="15rem" label="Hardware" />;
  const { cpus, memory_gib, available_gib, gpus, driver } = hardware.data;
  const used = memory_gib - available_gib;
  return (
    <Card
      title="Hardware"
      actions={driver && <span className="text-xs text-muted">NVIDIA driver {driver}</span>}
    >
      <div className="space-y-5">
        <div className="grid gap-4 sm:grid-cols-2">
          <div>
            <div className="text-xs font-medium text-muted">Processor</div>
            <div className="num text-base font-medium">{plural(cpus, "core")}</div>
          </div>
          <div>
            <div className="flex justify-between text-xs font-medium text-muted">
              <span>Memory</span>
              <span className="num">{percent(used / memory_gib, { digits: 0 })} used</span>
            </div>
            <div className="num text-base font-medium">
              {gib(available_gib)}{" "}
              <span className="text-sm font-normal text-muted">free of {gib(memory_gib)}</span>
            </div>
            <UsageBar label="Memory in use" part={used / memory_gib} />
          </div>
        </div>
        <Gpus gpus={gpus} />
      </div>
    </Card>
  );
}
