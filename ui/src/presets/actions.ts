import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, call, sendText } from "@/api";
import { read } from "@/yaml/document";
import { isCollection } from "./presetFile";
import type { Preset } from "./types";

/** Mutations of presets; each refetches the list. */
export function usePresetActions() {
  const client = useQueryClient();
  return useMemo(() => actions(client), [client]);
}

function actions(client: QueryClient) {
  const after = async <T>(done: Promise<T>): Promise<T> => {
    const result = await done;
    await client.invalidateQueries({ queryKey: ["presets"] });
    return result;
  };
  return {
    create: (text: string) => after(sendText<Preset>("POST", "/api/presets", text)),
    save: (name: string, text: string) =>
      after(sendText<Preset>("PUT", `/api/presets/${encodeURIComponent(name)}`, text)),
    remove: (name: string) => after(call(api.DELETE("/api/presets/{name}", { params: { path: { name } } }))),
    /** Imports one preset or a document of several; `replace` overwrites existing ones. */
    bring: (text: string, replace: boolean) => {
      const { data } = read(text);
      const name = typeof data?.name === "string" ? data.name : null;
      if (isCollection(data))
        return after(sendText<Preset[]>("POST", `/api/presets/import?replace=${replace}`, text));
      const one =
        replace && name !== null
          ? sendText<Preset>("PUT", `/api/presets/${encodeURIComponent(name)}`, text)
          : sendText<Preset>("POST", "/api/presets", text);
      return after(one.then((saved) => [saved]));
    },
  };
}
