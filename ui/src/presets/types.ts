import type { Schema } from "@/api";

export type Preset = Schema<"Preset">;
