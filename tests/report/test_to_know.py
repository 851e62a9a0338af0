"""What is known of load levels beside their metrics reaches people, in every way to read a result."""

import csv
import html
import io
import re
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.fakes.results import experiment, point, spec, stats, swept, task_of
from tools.experiments import _level as told_to_a_model
from tools.results import explained
from tuner.analysis.result import Result, result
from tuner.cli.commands.show import _details
from tuner.domain import ColdStart, Generator, LoadPoint, MachineLoad
from tuner.report.formats import FORMATS

ODD = "Programs that are not part of the tuning used {}% of this machine's processor time."
KNOWN: dict[str, Any] = {
    "sent": 90,
    "failed": 2,
    "unanswered": 2,
    "censored": 1,
    "steady": False,
    "cold": ColdStart(requests=8, ttft=stats(0.4), e2e_latency=stats(2.0)),
    "hidden_tokens": 5,
    "missing": {"itl": "9 of 64 answers hid <it>."},
    "notes": (ODD.format(35),),
    "generator": Generator(name="genai-bench", lag_s=0.003, busy=0.4, cpu_s=1.5),
    "machine": MachineLoad(steal=0.01, others=0.35, memory_stalled=0.0, gpu_strangers=("=x (process 7)",), gpu_hot=0.1),
}
GROUPED = ODD.format("12 to 35")


def known(**changes: object) -> LoadPoint:
    return point(8).model_copy(update={**KNOWN, **changes})


@pytest.fixture
def made() -> Result:
    task = spec()
    ran = [experiment(0, [point(1), known()], task=task), experiment(1, [known(notes=(ODD.format(12),))], task=task)]
    return result(task_of(task), ran)


@pytest.mark.parametrize("name", ["table", "html"])
def test_a_report_has_the_notes_with_their_levels(made: Result, name: str) -> None:
    text = str(FORMATS[name].render(made))
    if name == "html":
        text = html.unescape(re.sub("<[^>]+>", " ", text))
    text = " ".join(text.split())
    assert f"2 {GROUPED} D(256,32) × 8 of experiments 0, 1" in text
    assert "No time between tokens: 9 of 64 answers hid <it>." in text
    assert "2 of 64 requests were never answered; they count as failed." in text


def test_a_table_lists_the_commonest_notes_and_counts_the_rest() -> None:
    task = spec()
    letters = [chr(ord("A") + number) for number in range(12)]
    levels = [
        [known(notes=tuple(f"Note {letter}." for letter in letters[: 12 - at]), missing={}, failed=0, unanswered=0)]
        for at in range(3)
    ]
    made = result(task_of(task), [experiment(number, level, task=task) for number, level in enumerate(levels)])
    text = str(FORMATS["table"].render(made))
    assert "Note A." in text
    assert "Note L." not in text
    assert "and 4 more" in text


def test_a_result_without_notes_has_no_place_for_them() -> None:
    task = spec()
    made = result(task_of(task), [experiment(0, [point(1)], task=task)])
    assert "to know" not in str(FORMATS["table"].render(made))
    assert "To know" not in str(FORMATS["html"].render(made))


def test_csv_has_columns_for_all_of_it_after_those_it_had(made: Result) -> None:
    table = csv.DictReader(io.StringIO(str(FORMATS["csv"].render(made))))
    rows = list(table)
    row = rows[1]
    names = list(table.fieldnames or ())
    assert names[names.index("error") + 1] == "steady"
    assert (row["steady"], row["sent"], row["unanswered"], row["censored"]) == ("false", "90", "2", "1")
    assert (row["cold_requests"], row["cold_ttft_mean_s"], row["cold_e2e_latency_p90_s"]) == ("8", "0.4", "3.0")
    assert (row["generator"], row["generator_lag_s"], row["generator_busy"]) == ("genai-bench", "0.003", "0.4")
    assert (row["machine_steal"], row["machine_others"], row["machine_gpu_hot"]) == ("0.01", "0.35", "0.1")
    assert (row["machine_gpu_strangers"], row["machine_gpu_at_power_limit"]) == ("'=x (process 7)", "")
    assert row["notes"].splitlines() == [
        ODD.format(35),
        "2 of 64 requests were never answered; they count as failed.",
        "No time between tokens: 9 of 64 answers hid <it>.",
    ]
    assert {rows[0][name] for name in names[names.index("cold_requests") :]} == {""}


def test_a_workbook_has_a_sheet_of_them(made: Result) -> None:
    book = load_workbook(io.BytesIO(FORMATS["xlsx"].render(made)))  # type: ignore[arg-type]
    cells = list(book["To know"].iter_rows(values_only=True))
    assert cells[:2] == [("what", "levels", "where"), (GROUPED, 2, "D(256,32) × 8 of experiments 0, 1")]


def test_an_experiment_is_shown_with_what_is_known_of_each_level(made: Result) -> None:
    lines = _details(made.experiments[0])
    assert [line.strip() for line in lines if line.startswith("    ")] == [
        "first 8 requests, not measured: TTFT 400 ms (p90 600 ms)",
        "load generator genai-bench: 40 % busy, late by 3.00 ms (p90)",
        f"to know: {ODD.format(35)}",
        "to know: 2 of 64 requests were never answered; they count as failed.",
        "to know: No time between tokens: 9 of 64 answers hid <it>.",
    ]


def test_a_model_is_told_it_with_the_level_and_with_the_explanation(made: Result) -> None:
    plain, level = (told_to_a_model(one) for one in made.experiments[0].points)
    assert (plain.notes, plain.unanswered, plain.steady, plain.cold_ttft_p90) == ((), None, None, None)
    assert (level.unanswered, level.steady, level.cold_ttft_p90) == (2, False, "600 ms")
    assert level.notes[0] == ODD.format(35)
    assert explained(made).notes[0] == f"{GROUPED} (D(256,32) × 8 of experiments 0, 1)"


@pytest.mark.parametrize("name", ["table", "html", "xlsx"])
def test_a_report_says_how_the_baseline_moved(name: str) -> None:
    made = swept()
    assert made.drift is not None
    rendered = FORMATS[name].render(made)
    if isinstance(rendered, bytes):
        sheet = load_workbook(io.BytesIO(rendered))["Summary"]
        rendered = "\n".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)
    assert made.drift.text in " ".join(html.unescape(rendered).split())
    assert explained(made).drift == made.drift.text
