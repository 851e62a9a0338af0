"""A task and its experiments in sentences and tables, with the units that the tools give."""

from agent.offline.markdown import block, blocks, code, listed, paragraphs, settings, table, text, texts
from agent.offline.messages import Data

SIMULATED = "These numbers are of the simulated engine and say nothing about real hardware."


def summary(answer: Data) -> str:
    progress, best = block(answer, "progress"), block(answer, "best")
    failed = ", ".join(f"{count} × {kind}" for kind, count in block(answer, "failed").items())
    running = block(progress, "running")
    doing = (
        f"Experiment {text(running, 'experiment')} ({text(running, 'role')}; {settings(block(running, 'parameters'))}) "
        f"has been running for {text(running, 'running')}."
        if running
        else ""
    )
    done = ""
    if progress:
        of = f" of at most {text(progress, 'at_most')}" if "at_most" in progress else ""
        left = f", about {text(progress, 'guessed_left')} left" if "guessed_left" in progress else ""
        each = f" at {text(progress, 'mean_experiment')} each" if "mean_experiment" in progress else ""
        done = f"{text(progress, 'done', '0')}{of} experiments are done{each}{left}."
    else:
        done = f"{text(answer, 'completed', '0')} experiments completed."
    return paragraphs(
        f"Task {text(answer, 'id')} “{text(answer, 'name')}” is {text(answer, 'state')}: {text(answer, 'model')} on "
        f"{text(answer, 'engine')}, to {listed(answer, 'objectives')}"
        + (f", with {listed(answer, 'slos')}." if texts(answer, "slos") else "."),
        " ".join(part for part in (done, f"Failed: {failed}." if failed else "", doing) if part),
        text(answer, "verdict"),
        SIMULATED if answer.get("simulated") else "",
        f"{'Best so far' if progress else 'Best measured'}: {described(best)}" if best else "",
        code(text(answer, "command")) if text(answer, "command") else "",
        text(answer, "note"),
    )


def described(row: Data) -> str:
    """An experiment in a sentence: number, parameters, value, load level, SLOs."""
    against = [f"{gain} against the baseline" for gain in texts(row, "against_baseline") if gain]
    at = f" at {text(row, 'judged_at')}" if text(row, "judged_at") else ""
    failure = f", {text(row, 'failure')}" if "failure" in row else ""
    parts = [
        f"experiment {text(row, 'experiment')} ({text(row, 'role')}{failure})",
        settings(block(row, "parameters")) if "parameters" in row else "",
        f"{', '.join(texts(row, 'values'))}{at}" if texts(row, "values") else "",
        *against,
        *(margin(one) for one in blocks(row, "slos")),
    ]
    return "; ".join(part for part in parts if part) + "."


def experiments_table(rows: list[Data]) -> str:
    lines: list[Data] = [
        {
            "experiment": " ".join([text(row, "experiment"), *([text(row, "role")] if _special(row) else [])]),
            "parameters": settings(block(row, "parameters")),
            "value": ", ".join(texts(row, "values")) or text(row, "failure") or text(row, "state"),
            "against baseline": ", ".join(texts(row, "against_baseline")),
            "load": text(row, "judged_at"),
            "SLOs": ", ".join(f"{text(one, 'slo')} {text(one, 'actual')}" for one in blocks(row, "slos")),
        }
        for row in rows
    ]
    return table(lines, {name: name for name in lines[0]})


def _special(row: Data) -> bool:
    return row.get("role") != "candidate"


def margin(bound: Data) -> str:
    holds = "" if bound.get("met") else f" ({text(bound, 'verdict', 'missed')})"
    return f"{text(bound, 'slo')} {text(bound, 'actual')}, {text(bound, 'margin')} of {text(bound, 'limit')}{holds}"
