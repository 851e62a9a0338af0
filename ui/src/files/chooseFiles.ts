/** Files that a user drops or chooses. */

const MOST_BYTES = 1_000_000;

/** The text of a task file. */
export async function fileText(file: File): Promise<string> {
  if (file.size > MOST_BYTES) throw new Error(`${file.name} is larger than 1 MB; is it a task file?`);
  const text = await file.text();
  if (text.includes("\0")) throw new Error(`${file.name} is no text; choose a task file in YAML or JSON.`);
  return text;
}

/** Opens the browser's file dialog. */
export function chooseFiles(multiple: boolean): Promise<File[]> {
  return new Promise((resolve) => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = multiple;
    input.accept = ".yaml,.yml,.json,application/yaml,application/json";
    input.onchange = () => resolve([...(input.files ?? [])]);
    input.oncancel = () => resolve([]);
    input.click();
  });
}
