import { useQuery } from "@tanstack/react-query";
import { queries, type Schema } from "@/api";
import { Card, Loading } from "@/kit";
import { get, isObject } from "@/yaml/document";
import { domainToSpec } from "../spec/domain";
import { useForm } from "./context";
import { DomainRow } from "./DomainRow";
import { FlagPicker } from "./FlagPicker";
import { initialDomain, choicesOf, flagName } from "./flags";
import { YamlOnly } from "./YamlOnly";

/** The engine's flags that are set or searched. */
export function FlagsSection({ engine }: { engine: string }) {
  const form = useForm();
  const engines = useQuery(queries.engines());
  const here = engines.data?.find((one) => one.name === engine);
  const known = useQuery({ ...queries.flags(engine), enabled: here?.installed === true });
  const flags = known.data ?? [];
  const block = get(form.data, ["parameters"]);
  const names = isObject(block) ? Object.keys(block) : [];
  const flag = (name: string) => flags.find((one) => one.name === flagName(name));
  return (
    <Card title="Flags" actions={<span className="text-xs text-muted">{engine}</span>}>
      {block !== undefined && !isObject(block) && (
        <YamlOnly path={["parameters"]} what="The block of flags" />
      )}
      {names.length > 0 && (
        <ul className="-mt-3 mb-3 divide-y divide-line border-b border-line">
          {names.map((name) => (
            <DomainRow
              key={`${engine} ${name}`}
              path={["parameters", name]}
              name={name}
              help={flag(name)?.help}
              choices={choicesOf(flag(name))}
            />
          ))}
        </ul>
      )}
      {engines.isPending || known.isLoading ? (
        <Loading label="Flags" height="32px" />
      ) : (
        <FlagPicker
          flags={flags}
          there={new Set(names.map(flagName))}
          unknown={known.isSuccess ? undefined : why(engine, here)}
          onPick={(name, picked) => form.set(["parameters", name], domainToSpec(initialDomain(picked)))}
        />
      )}
      {names.length === 0 && (
        <p className="mt-2 text-sm text-muted">
          Give at least one flag several values or a range: each combination is a configuration that may be
          measured.
        </p>
      )}
    </Card>
  );
}

/** Why no flags are known. */
function why(engine: string, here: Schema<"EngineInfo"> | undefined): string {
  const unchecked = "Until then its flags are not checked.";
  if (engine === "") return `The task names no engine. ${unchecked}`;
  if (!here) return `No engine here is called ${engine}, so its flags are not checked.`;
  if (!here.installed) return `${engine} is not installed here; run: ${here.install}. ${unchecked}`;
  return `${engine} did not say which flags it has. ${unchecked}`;
}
