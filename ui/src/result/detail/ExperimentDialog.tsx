import { ChevronLeft, ChevronRight } from "lucide-react";
import { Badge, Button, Dialog, type Tab, Tabs } from "@/kit";
import type { Row } from "../rows";
import { KindMark } from "../table/KindMark";
import type { Result } from "../types";
import { ExperimentLog } from "./ExperimentLog";
import { Launch } from "./Launch";
import { LoadLevels } from "./LoadLevels";
import { Overview } from "./Overview";

type Props = { result: Result; row: Row; onClose: () => void; onShow: (number: number) => void };

/** Details of an experiment. */
export function ExperimentDialog({ result, row, onClose, onShow }: Props) {
  const at = result.experiments.findIndex((one) => one.number === row.number);
  const [before, after] = [result.experiments[at - 1], result.experiments[at + 1]];
  const tabs: Tab[] = [
    { value: "overview", label: "Overview", content: <Overview result={result} row={row} /> },
    {
      value: "load",
      label: "Load levels",
      count: row.experiment.points.length,
      content: <LoadLevels row={row} />,
    },
    { value: "launch", label: "Launch", content: <Launch experiment={row.experiment} /> },
    { value: "log", label: "Log", content: <ExperimentLog task={result.task_id} number={row.number} /> },
  ];
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      size="lg"
      title={
        <span className="flex flex-wrap items-center gap-2">
          Experiment
          <KindMark row={row} />
          {result.simulated && <Badge intent="warn">Simulated</Badge>}
        </span>
      }
      footer={
        <>
          <Button
            icon={<ChevronLeft className="size-4" />}
            disabled={!before}
            onClick={() => before && onShow(before.number)}
          >
            {before ? `Experiment ${before.number}` : "The first"}
          </Button>
          <Button disabled={!after} onClick={() => after && onShow(after.number)}>
            {after ? `Experiment ${after.number}` : "The last"}
            <ChevronRight className="size-4" />
          </Button>
        </>
      }
    >
      <div className="min-h-[50dvh]">
        <Tabs label="About this experiment" tabs={tabs} defaultValue="overview" />
      </div>
    </Dialog>
  );
}
