import { createStore } from "@/app/store";
import type { Tone } from "./tone";

export type Toast = {
  id: number;
  text: string;
  tone: Tone;
  action?: { label: string; onSelect: () => void };
};

let last = 0;
export const toasts = createStore<readonly Toast[]>([]);

const SHOWN_MS = 6000;

/** Says in passing that something has happened. What must be seen stays on the page instead. */
export function toast(text: string, options: { tone?: Tone; action?: Toast["action"] } = {}): void {
  const id = ++last;
  toasts.set([
    ...toasts.get().slice(-3),
    { id, text, tone: options.tone ?? "neutral", action: options.action },
  ]);
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  toasts.set(toasts.get().filter((one) => one.id !== id));
}
