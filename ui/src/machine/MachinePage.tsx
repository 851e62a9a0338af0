import { Page } from "@/kit";
import { Deployments } from "./Deployments";
import { Engines } from "./Engines";
import { HardwareCard } from "./HardwareCard";
import { Workers } from "./Workers";

/** Hardware, workers, running deployments and engines. */
export default function MachinePage() {
  return (
    <Page title="Machine" detail="What there is to run on and with, and what runs now.">
      <div className="grid min-w-0 items-start gap-4 xl:grid-cols-2">
        <HardwareCard />
        <Workers />
        <div className="min-w-0 xl:col-span-2">
          <Deployments />
        </div>
        <div className="min-w-0 xl:col-span-2">
          <Engines />
        </div>
      </div>
    </Page>
  );
}
