import { engineCalled, useCatalog } from "@/api";
import { get } from "@/yaml/document";
import { AdvancedSection } from "./AdvancedSection";
import { BasicsSection } from "./BasicsSection";
import { useForm } from "./context";
import { FlagsSection } from "./FlagsSection";
import { GoalSection } from "./GoalSection";
import { LoadSection } from "./LoadSection";
import { ParallelSection } from "./ParallelSection";
import { QuantSection } from "./QuantSection";
import { SearchSection } from "./SearchSection";

/** The form of a task. */
export function TaskForm() {
  const form = useForm();
  const engine = engineCalled(get(form.data, ["base_runtime"]), useCatalog());
  return (
    <div className="@container">
      <div className="grid items-start gap-4 @6xl:grid-cols-2">
        <div className="min-w-0 space-y-4">
          <BasicsSection engine={engine} />
          <FlagsSection engine={engine} />
          <GoalSection />
          <LoadSection />
        </div>
        <div className="min-w-0 space-y-4">
          <SearchSection />
          <ParallelSection engine={engine} />
          <QuantSection engine={engine} />
          <AdvancedSection />
        </div>
      </div>
    </div>
  );
}
