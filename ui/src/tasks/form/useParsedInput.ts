import { useState } from "react";

/** What stands in a field whose text is not its value: as it was typed, as long as that still means the value. */
export function useParsedInput<T>(
  value: T,
  { write, read, set }: { write: (value: T) => string; read: (text: string) => T; set: (value: T) => void },
): { value: string; onType: (text: string) => void } {
  const [typed, setTyped] = useState(() => write(value));
  const same = JSON.stringify(read(typed)) === JSON.stringify(value);
  return {
    value: same ? typed : write(value),
    onType: (text) => {
      setTyped(text);
      set(read(text));
    },
  };
}
