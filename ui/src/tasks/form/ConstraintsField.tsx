import { Field, Textarea } from "@/kit";
import { get } from "@/yaml/document";
import { useForm } from "./context";
import { useParsedInput } from "./useParsedInput";

const PATH = ["constraints"];

/** Constraints of the search space, one expression a line. */
export function ConstraintsField() {
  const form = useForm();
  const raw = get(form.data, PATH);
  const lines = Array.isArray(raw) ? (raw as unknown[]).map(String) : typeof raw === "string" ? [raw] : [];
  const typed = useParsedInput<readonly string[]>(lines, {
    write: (all) => all.join("\n"),
    read: (text) =>
      text
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean),
    set: (all) => form.set(PATH, all.length > 0 ? all : undefined),
  });
  return (
    <Field
      label="Constraints"
      help="Each configuration must satisfy them, one a line; - in names is written _"
      error={form.problem(PATH)}
    >
      <Textarea
        rows={Math.max(2, lines.length + 1)}
        className="font-mono text-xs"
        placeholder="max_num_batched_tokens >= max_num_seqs"
        spellCheck={false}
        value={typed.value}
        onChange={(event) => typed.onType(event.target.value)}
      />
    </Field>
  );
}
