import { send } from "@/api";
import { download } from "./download";

/** Downloads a file of the service, under the name that the service gives it. */
export async function saveFile(path: string): Promise<void> {
  const response = await send(path);
  download(await response.blob(), fileName(response.headers.get("Content-Disposition")) ?? "download");
}

/** `attachment; filename="a.csv"; filename*=UTF-8''a%20b.csv` → `a b.csv`. */
export function fileName(disposition: string | null): string | null {
  if (disposition === null) return null;
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1];
  if (encoded) {
    try {
      return decodeURIComponent(encoded);
    } catch {
      // Not encoded as it says: the plain name is there, too.
    }
  }
  return /filename="([^"]+)"/i.exec(disposition)?.[1] ?? null;
}
