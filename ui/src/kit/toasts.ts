import { problemOf } from "@/api";
import { createStore } from "@/state/store";
import type { Intent } from "./intent";

export type Toast = {
  id: number;
  text: string;
  intent: Intent;
  action?: { label: string; onSelect: () => void };
};

let last = 0;
export const toasts = createStore<readonly Toast[]>([]);

const SHOWN_MS = 6000;

/** Shows a short message for some seconds. Not for what must be read. */
export function toast(text: string, options: { intent?: Intent; action?: Toast["action"] } = {}): void {
  const id = ++last;
  toasts.set([
    ...toasts.get().slice(-3),
    { id, text, intent: options.intent ?? "neutral", action: options.action },
  ]);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export const toastError = (error: unknown) => toast(problemOf(error).detail, { intent: "bad" });

export function dismiss(id: number): void {
  toasts.set(toasts.get().filter((one) => one.id !== id));
}
