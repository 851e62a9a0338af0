import { get } from "../draft/yaml";
import { AimSection } from "./AimSection";
import { useForm } from "./context";
import { FlagsSection } from "./FlagsSection";
import { GoalSection } from "./GoalSection";
import { LoadSection } from "./LoadSection";
import { MoreSection } from "./MoreSection";
import { QuantSection } from "./QuantSection";
import { SearchSection } from "./SearchSection";
import { SpreadSection } from "./SpreadSection";

/** Older files write it otherwise. */
const CALLED: Record<string, string> = { tensorrt_llm: "tensorrt-llm", trtllm: "tensorrt-llm" };

/** A task in fields. */
export function TaskForm() {
  const raw = get(useForm().data, ["base_runtime"]);
  const engine = typeof raw === "string" && raw !== "" ? (CALLED[raw] ?? raw) : "vllm";
  return (
    <div className="@container">
      <div className="grid items-start gap-4 @6xl:grid-cols-2">
        <div className="min-w-0 space-y-4">
          <AimSection engine={engine} />
          <FlagsSection engine={engine} />
          <GoalSection />
          <LoadSection />
        </div>
        <div className="min-w-0 space-y-4">
          <SearchSection />
          <SpreadSection engine={engine} />
          <QuantSection engine={engine} />
          <MoreSection />
        </div>
      </div>
    </div>
  );
}
