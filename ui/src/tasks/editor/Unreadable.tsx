import { FileWarning } from "lucide-react";
import { Button, Empty } from "@/kit";
import type { YamlError } from "@/yaml/document";
import type { Place } from "../spec/places";

type Props = { errors: readonly YamlError[]; onShow: (place: Place) => void };

/** Instead of the form where the text is no valid YAML. */
export function Unreadable({ errors, onShow }: Props) {
  const [first] = errors;
  return (
    <Empty
      icon={<FileWarning />}
      title="The form cannot read the YAML"
      action={
        first && <Button onClick={() => onShow({ ...first, where: "" })}>Go to line {first.line}</Button>
      }
    >
      {first && `Line ${first.line}: ${first.message}.`} The fields come back as soon as that is mended.
    </Empty>
  );
}
