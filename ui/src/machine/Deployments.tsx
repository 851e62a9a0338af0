import { useQuery } from "@tanstack/react-query";
import { Server } from "lucide-react";
import { useState } from "react";
import { queries } from "@/api";
import { Card, Empty, ErrorMessage, Loading } from "@/kit";
import { DeploymentItem } from "./DeploymentItem";
import { DeploymentLog } from "./DeploymentLog";
import { OFTEN_MS } from "./refresh";
import type { Running } from "./types";

/** Engines and load generators that the tuner has running. */
export function Deployments() {
  const running = useQuery({ ...queries.deployments(), refetchInterval: OFTEN_MS });
  const [read, setRead] = useState<Running | null>(null);
  if (running.isError) return <ErrorMessage error={running.error} onRetry={() => void running.refetch()} />;
  if (!running.data) return <Loading height="9rem" label="What runs now" />;
  return (
    <Card title="Running now" padded={false}>
      {running.data.length === 0 ? (
        <Empty icon={<Server />} title="Nothing runs" className="py-8">
          Engines and load generators appear here while a task measures.
        </Empty>
      ) : (
        <ul className="divide-y divide-line">
          {running.data.map((one) => (
            <DeploymentItem key={one.id} running={one} onRead={() => setRead(one)} />
          ))}
        </ul>
      )}
      {read && <DeploymentLog running={read} onClose={() => setRead(null)} />}
    </Card>
  );
}
