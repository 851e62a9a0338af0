import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { LoadLevels } from "./detail/LoadLevels";
import { point, sample, stats } from "./fixture";
import { rows } from "./rows";
import { ToKnow } from "./ToKnow";

const BUSY = "Programs that are not part of the tuning used 35% of this machine's processor time.";

describe("what is known of load levels", () => {
  it("stands in the result with how many levels it is about, and which", () => {
    const where = "D(512,128) × 8 of experiments 0, 1";
    render(<ToKnow result={sample({ notes: [{ text: BUSY, levels: 2, where }] })} />);
    expect(screen.getByRole("listitem")).toHaveTextContent(`2 load levels: ${BUSY} ${where}`);
  });

  it("has how the baseline moved", () => {
    const text = "No drift shown: it changed by +1.0 %.";
    const drift = { change: 0.01, low: -0.01, high: 0.03, measurements: 3, span_s: 600, text };
    render(<ToKnow result={sample({ drift })} />);
    expect(screen.getByRole("listitem")).toHaveTextContent(text);
  });

  it("has no place where there is none", () => {
    const { container } = render(<ToKnow result={sample()} />);
    expect(container).toBeEmptyDOMElement();
  });

  it("stands below the levels of an experiment", () => {
    const result = sample();
    const [row] = rows(result);
    if (!row) throw new Error("no row");
    const known = point(8, 100, 0.2, {
      failed: 3,
      unanswered: 1,
      notes: [BUSY],
      missing: { itl: "9 of 100 answers hid it." },
      cold: { requests: 8, ttft: stats(0.4), e2e_latency: null },
      generator: { name: "genai-bench", lag_s: 0.003, busy: 0.4, cpu_s: 1.5 },
    });
    const experiment = { ...row.experiment, points: [point(1, 50, 0.1), known] };
    render(<LoadLevels row={{ ...row, experiment }} />);
    expect(screen.getByText("3 (3 %), 1 never answered")).toBeVisible();
    const told = screen.getByRole("region", { name: "To know of these numbers" });
    expect(told).toHaveTextContent(BUSY);
    expect(told).toHaveTextContent("Time between tokens: 9 of 100 answers hid it.");
    expect(told).toHaveTextContent("First 8 requests, not measured: TTFT 400 ms (p90 600 ms).");
    expect(told).toHaveTextContent("Load generator genai-bench: 40 % busy.");
    expect(told).not.toHaveTextContent("× 1");
  });
});
