import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button, Field, Input } from "@/kit";
import { get, isObject, type Path } from "@/yaml/document";
import { useForm } from "./context";
import { DomainRow } from "./DomainRow";
import { YamlOnly } from "./YamlOnly";

type Props = { path: Path; label: string; placeholder: string; /** Each has one value. */ fixed?: boolean };

/** Free names, each with its values. */
export function PairsField({ path, label, placeholder, fixed }: Props) {
  const form = useForm();
  const [name, setName] = useState("");
  const block = get(form.data, path);
  const names = isObject(block) ? Object.keys(block) : [];
  const ready = name.trim() !== "" && !names.includes(name.trim());
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    form.set([...path, name.trim()], fixed ? "" : []);
    setName("");
  };
  return (
    <div className="sm:col-span-2">
      {block !== undefined && !isObject(block) && <YamlOnly path={path} what={label} />}
      <ul className="divide-y divide-line">
        {names.map((one) => (
          <DomainRow key={one} path={[...path, one]} name={one} fixed={fixed} />
        ))}
      </ul>
      <form onSubmit={add} className="flex max-w-md items-end gap-2">
        <Field label={label} className="flex-1">
          <Input
            value={name}
            placeholder={placeholder}
            spellCheck={false}
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
        <Button type="submit" icon={<Plus className="size-3.5" />} disabled={!ready}>
          Add
        </Button>
      </form>
    </div>
  );
}
