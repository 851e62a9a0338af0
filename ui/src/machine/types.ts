import type { Schema } from "@/api";

export type Running = Schema<"Running">;
