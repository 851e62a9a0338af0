import { useState } from "react";

/** Text of a field with a parsed value: kept as typed as long as it parses to the value. */
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
