import type { Schema } from "@/api";

export type Result = Schema<"Result">;
export type Experiment = Schema<"Experiment">;
export type Standing = Schema<"Standing">;
export type LoadPoint = Schema<"LoadPoint">;
export type Objective = Schema<"Objective">;
export type Metric = Schema<"Metric">;
export type Statistic = Objective["statistic"];
export type Bound = Schema<"Bound">;
export type Gain = Schema<"Gain">;
export type Outcome = Schema<"Outcome">;
export type Effect = Schema<"Effect">;
export type Failure = Schema<"Failure">;
export type Params = Schema<"Params">;
/** Value of a parameter. */
export type Value = Schema<"EffectOfValue">["value"];
