import { get, type Path } from "@/yaml/document";
import { useForm } from "./context";

/** Notice for a part of the task that can only be edited as YAML, with its problem. */
export function YamlOnly({ path, what }: { path: Path; what: string }) {
  const form = useForm();
  const problem = form.problem(path);
  if (get(form.data, path) === undefined) return null;
  return (
    <p className="rounded-md bg-sunken px-3 py-2 text-sm text-muted">
      {what} stands in the task in a way that has no fields here. Change it in the YAML view.
      {problem && <span className="mt-1 block text-bad">{problem}</span>}
    </p>
  );
}
