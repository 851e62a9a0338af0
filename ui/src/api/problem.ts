import type { Schema } from "./types";

export type Problem = Schema<"ProblemDetails">;

/** An error answer of the service, or status 0 if it could not be reached. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = "ApiError";
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }

  /** The message for a field of the request, by its dotted path. */
  at(where: string): string | undefined {
    return this.problem.errors.find((place) => place.where === where)?.message;
  }
}

export function unreachable(): ApiError {
  return new ApiError(
    localProblem(
      0,
      "The service does not answer",
      "Is `autotuner serve` still running? The page comes back by itself with it.",
    ),
  );
}

/** Any error as problem details. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return localProblem(0, "This did not work", error instanceof Error ? error.message : String(error));
}

/** The error of a failed response, which a proxy may have written. */
export async function errorFromResponse(response: Response): Promise<ApiError> {
  const said: unknown = await response.json().catch(() => undefined);
  if (isProblem(said)) return new ApiError({ ...said, errors: said.errors ?? [] });
  return new ApiError(
    localProblem(
      response.status,
      response.statusText || `Status ${response.status}`,
      `The answer had the status ${response.status} and no reason.`,
    ),
  );
}

function localProblem(status: number, title: string, detail: string): Problem {
  return { type: "about:blank", title, status, detail, errors: [], error_id: null };
}

function isProblem(said: unknown): said is Problem {
  return typeof said === "object" && said !== null && "title" in said && "detail" in said && "status" in said;
}
