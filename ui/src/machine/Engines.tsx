import { useQuery } from "@tanstack/react-query";
import { queries } from "@/api";
import { Badge, Card, Code, ErrorMessage, Loading } from "@/kit";
import { FlagsDialog } from "./FlagsDialog";
import { installCommands } from "./install";

/** Known engines: version if installed, else how to install. */
export function Engines() {
  const engines = useQuery(queries.engines());
  if (engines.isError) return <ErrorMessage error={engines.error} onRetry={() => void engines.refetch()} />;
  if (!engines.data) return <Loading height="14rem" label="Engines" />;
  return (
    <Card title="Engines" padded={false}>
      <ul className="divide-y divide-line">
        {engines.data.map((engine) => (
          <li
            key={engine.name}
            className="grid items-start gap-x-8 gap-y-2 px-4 py-3 md:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]"
          >
            <div className="min-w-0">
              <div className="flex flex-wrap items-center gap-2">
                <span className="text-sm font-medium">{engine.name}</span>
                {engine.installed ? (
                  <Badge intent="ok">{engine.version ? `Installed, ${engine.version}` : "Built in"}</Badge>
                ) : (
                  <Badge>Not installed</Badge>
                )}
                {engine.cpu_only && <Badge intent="warn">CPU only</Badge>}
              </div>
              <p className="mt-1 text-xs text-muted">
                {engine.parallel_presets.length > 0 &&
                  `Parallel presets: ${engine.parallel_presets.join(", ")}. `}
                {engine.quant_presets.length > 0 &&
                  `Quantization presets: ${engine.quant_presets.join(", ")}.`}
                {!engine.install &&
                  "A formula instead of a model: it shows what the tuner does, without a GPU."}
              </p>
            </div>
            {engine.installed ? (
              <div className="md:justify-self-end">
                <FlagsDialog engine={engine.name} />
              </div>
            ) : (
              <div className="space-y-1.5">
                {installCommands(engine).map((command) => (
                  <Code key={command} text={command} wrap />
                ))}
              </div>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
