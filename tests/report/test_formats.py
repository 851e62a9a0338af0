"""Every report format, on results of every kind."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import click
import pytest
from openpyxl import load_workbook

from tests.fakes.results import experiment, point, spec, swept, task_of
from tuner.analysis.result import Result, result
from tuner.domain import Failure, TaskState
from tuner.errors import FailureKind
from tuner.launch import PORT
from tuner.report.command import shell
from tuner.report.formats import FORMATS
from tuner.report.rendering import Rendering
from tuner.spec.values import Value

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def swept_result() -> Result:
    return swept()


def check_row(row: Rendering) -> None:
    assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+(?:; charset=utf-8)?", row.media_type)
    assert re.fullmatch(r"[a-z0-9]+", row.suffix)
    assert all(said and not said.endswith(".") for said in (row.title, row.description))


def stories() -> dict[str, Result]:
    made = spec()
    failure = Failure(kind=FailureKind.CRASHED, message=HOSTILE, lines=("=1+1", HOSTILE, "\x1b[31mred\x00"))
    strange = {"$a_{b}$": "=1+1", "<b>": HOSTILE, "c": "+1", "d": "-O3", "e": "@x"}
    hostile = spec(task_name="<img src=x>", description=HOSTILE)
    return {
        "nothing": result(task_of(made, TaskState.RUNNING), []),
        "all failed": result(task_of(made), [experiment(0, task=made, failure=failure)]),
        "defaults only": result(task_of(made), [experiment(0, [point(c) for c in (1, 8, 32)], task=made)]),
        "partial": result(
            task_of(made, TaskState.CANCELLED),
            [experiment(0, [point(1), point(8, failure=FailureKind.OUT_OF_MEMORY)], task=made)],
        ),
        "infeasible": swept(slo={"ttft": {"p90": {"threshold": 0.001, "hard_fail": True}}}),
        "two objectives": swept(optimization={"objective": ["minimize_ttft", "maximize_throughput"]}),
        "minimizing": swept(optimization={"objective": "minimize_latency"}, slo=None),
        "two scenarios": swept(benchmark={"traffic_scenarios": ["D(256,32)", "D(1,1)"], "num_concurrency": [1, 8, 32]}),
        "rates": swept(benchmark=RATES),
        "not confirmed": swept(optimization={"confirm": 0}),
        "hostile": result(
            task_of(hostile).model_copy(update={"error": HOSTILE, "state": TaskState.FAILED}),
            [
                experiment(0, [point(c) for c in (1, 8)], task=hostile),
                experiment(1, [point(c, rate=200) for c in (1, 8)], task=hostile, flags=strange),
                experiment(2, task=hostile, flags=strange, failure=failure),
            ],
        ),
    }


RATES = {"tool": "guidellm", "traffic_scenarios": ["D(256,32)"], "request_rate": [1, 8, 32]}
STORIES = stories()


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_described(name: str) -> None:
    check_row(FORMATS[name])


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("story", STORIES)
def test_every_format_renders_every_kind_of_result(name: str, story: str) -> None:
    rendered = FORMATS[name].render(STORIES[story])
    assert len(rendered) > 0
    if name not in ("xlsx",):
        assert isinstance(rendered, str)


@pytest.mark.parametrize("name", FORMATS)
def test_simulated_numbers_are_labelled_in_every_format(name: str, swept_result: Result) -> None:
    rendered = FORMATS[name].render(swept_result)
    if isinstance(rendered, bytes):
        summary = load_workbook(io.BytesIO(rendered))["Summary"]
        rendered = "\n".join(str(cell.value) for row in summary.iter_rows() for cell in row)
    assert re.search("simulated", rendered, re.IGNORECASE)


def test_the_table_marks_winner_and_baseline_and_ends_with_the_command(swept_result: Result) -> None:
    lines = str(FORMATS["table"].render(swept_result)).splitlines()
    (best,) = [line for line in lines if line.startswith("best")]
    (base,) = [line for line in lines if line.startswith("base")]
    assert re.search(r"best +16 +32 +512 +b +528 tok/s +\+13 % +32 +505 ms met", best)
    assert re.search(r"base +0 +default +default +default +467 tok/s +32 +477 ms met", base)
    assert any("+13 % (+10 % to +16 %)" in line for line in lines)
    assert any(line.startswith("23 ") and "out_of_memory: Not enough memory" in line for line in lines)
    assert lines[-1] == shell(swept_result.spec, swept_result.experiment(16))
    assert not any("\x1b" in line for line in lines)


def test_rates_are_called_rates_everywhere() -> None:
    made = STORIES["rates"]
    table, csv_text, page = (str(FORMATS[name].render(made)) for name in ("table", "csv", "html"))
    (best,) = [line for line in table.splitlines() if line.startswith("best")]
    assert re.search(r"tok/s +\+13 % +32/s +505 ms met", best)
    rows = list(csv.DictReader(io.StringIO(csv_text)))
    assert {(row["concurrency"], row["rate"]) for row in rows if row["scenario"]} == {
        ("", "1.0"), ("", "8.0"), ("", "32.0")
    }  # fmt: skip
    assert "D(256,32) @ 32/s" in page
    assert "1, 8, 32 requests per second of D(256,32)" in page
    for text in (table, page.partition("Task file")[0]):
        assert "concurrency" not in text.lower()
        assert "× 0" not in text


def test_the_table_lists_the_best_and_counts_the_rest(swept_result: Result) -> None:
    text = str(FORMATS["table"].render(swept_result))
    assert "… and 11 more; all of them: autotuner report a1b2c3d4 --format csv" in text


def test_json_is_the_public_format_and_loads_back(swept_result: Result) -> None:
    text = FORMATS["json"].render(swept_result)
    assert json.loads(text)["format"] == 1
    assert Result.model_validate_json(text) == swept_result


def test_csv_has_a_row_for_every_experiment_and_level(swept_result: Result) -> None:
    rows = list(csv.DictReader(io.StringIO(str(FORMATS["csv"].render(swept_result)))))
    measured = sum(len(one.points) or 1 for one in swept_result.experiments)
    assert len(rows) == measured
    winner = next(row for row in rows if row["winner"] == "true" and row["concurrency"] == "32")
    best = swept_result.experiment(16).points[2]
    assert best.ttft is not None
    assert float(winner["ttft_p90_s"]) == best.ttft.p90
    assert float(winner["output_tokens_per_s"]) == best.output_tokens_per_s
    assert (winner["max-num-seqs"], winner["MODE"]) == ("32", "b")
    failed = next(row for row in rows if row["experiment"] == "23")
    assert (failed["scenario"], failed["state"]) == ("", "failed")


def test_csv_holds_no_text_that_a_spreadsheet_takes_for_a_formula() -> None:
    for row in csv.reader(io.StringIO(str(FORMATS["csv"].render(STORIES["hostile"])))):
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@"))


def test_xlsx_has_its_sheets_with_every_row_and_no_formula() -> None:
    for story in ("hostile", "two objectives"):
        made = STORIES[story]
        book = load_workbook(io.BytesIO(bytes(FORMATS["xlsx"].render(made))))  # type: ignore[arg-type]
        assert book.sheetnames == ["Summary", "Experiments", "Levels", "Failures", "To know"]
        assert book["Experiments"].max_row == len(made.standings) + 1
        for sheet in book:
            for row in sheet.iter_rows():
                assert all(cell.data_type != "f" for cell in row)
    first = next(book["Experiments"].iter_rows(min_row=2, values_only=True))
    assert first[0] == made.winner
    assert any(cell == pytest.approx(made.standings[0].scores[0].value) for cell in first if isinstance(cell, float))


class Page(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "action", "data"):
                self.links.append(value or "")
            assert not name.startswith("on")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("story", STORIES)
def test_the_page_runs_nothing_fetches_nothing_and_is_well_formed(story: str) -> None:
    text = str(FORMATS["html"].render(STORIES[story]))
    page = Page(text)
    assert page.open == []
    assert not {"script", "img", "iframe", "object", "link", "base", "form"} & set(page.tags)
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)
    assert "url(http" not in text
    assert "@import" not in text


def test_the_page_shows_verdict_command_plots_and_failures(swept_result: Result) -> None:
    page = Page(str(FORMATS["html"].render(swept_result)))
    text = " ".join("".join(page.words).split())
    assert swept_result.verdict.text in text
    assert shell(swept_result.spec, swept_result.experiment(16)) in text
    assert page.tags.count("svg") == 5
    assert "Not enough memory for the <KV> cache." in text
    for label in ("p90 time to first token (ms)", "SLO", "max-num-seqs", "explains 99 %", "baseline", "best (#16)"):
        assert label in text


def test_two_pages_of_one_result_are_equal(swept_result: Result) -> None:
    assert FORMATS["html"].render(swept_result) == FORMATS["html"].render(swept_result)


def test_values_are_quoted_and_what_served_measuring_only_is_left_out() -> None:
    one = experiment(0, task=spec())
    assert one.launch is not None
    changed = {"args": ("--port", PORT, "--name", "a b; rm $HOME", "30017"), "env": {"A": "it's"}}
    one = one.model_copy(update={"launch": one.launch.model_copy(update=changed)})
    shown = shell(spec(), one)
    assert shown.startswith("A='it'\"'\"'s' '/opt/engine venv/bin/python' -m server --port 8000 ")
    assert shown.endswith("--name 'a b; rm $HOME' 30017")


def test_the_command_of_an_older_experiment_is_what_its_engine_launches(swept_result: Result) -> None:
    """Older versions kept no template."""
    older = swept_result.experiment(16).model_copy(update={"launch": None, "target": None})
    assert shell(swept_result.spec, older) == (
        "MODE=b python3 -m tuner.engines.simulated.server --host 127.0.0.1 --port 8000 --model tiny"
        " --max-num-seqs 32 --max-num-batched-tokens 512"
    )


WIDTHS = (40, 80, 107, 200, None)
"""Of a terminal; None: a pipe."""


def screen(monkeypatch: pytest.MonkeyPatch, width: int | None) -> None:
    for name in ("FORCE_COLOR", "COLUMNS", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    if width is not None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_command_is_whole_on_one_line_however_wide_the_terminal(
    width: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen(monkeypatch, width)
    made = spec()
    flags: dict[str, Value] = {"served-model-name": "a-long-word-" * 20, "dtype": "[auto]", "max-num-seqs": 64}
    one = experiment(0, [point(c) for c in (1, 8, 32)], task=made, flags=flags)
    text = str(FORMATS["table"].render(result(task_of(made), [one])))
    assert ("\x1b" in text) == (width is not None)
    command = shell(made, one)
    assert len(command) > 200
    assert command.endswith("--max-num-seqs 64")
    assert click.unstyle(text).splitlines()[-1] == command


@pytest.mark.parametrize("width", WIDTHS)
def test_no_cell_of_a_table_loses_a_letter(
    width: int | None, swept_result: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen(monkeypatch, width)
    for story in (swept_result, *STORIES.values()):
        text = click.unstyle(str(FORMATS["table"].render(story)))
        assert not re.search(r"\S…", text)
