"""What can be taken away from a task and used elsewhere; containers have a file of their own."""

import pytest

from tests.fakes.results import swept
from tests.report.test_formats import STORIES, check_row
from tuner.analysis.result import Result
from tuner.errors import ConflictError
from tuner.report.artifacts import ARTIFACTS
from tuner.spec import taskfile


@pytest.fixture(scope="module")
def swept_result() -> Result:
    return swept()


@pytest.mark.parametrize("name", ARTIFACTS)
def test_an_artifact_is_described(name: str) -> None:
    check_row(ARTIFACTS[name])


@pytest.mark.parametrize("name", ARTIFACTS)
@pytest.mark.parametrize("story", STORIES)
def test_every_artifact_is_made_of_every_kind_of_result_or_says_why_not(name: str, story: str) -> None:
    try:
        made = ARTIFACTS[name].render(STORIES[story])
    except ConflictError as error:
        made = str(error)
    assert len(made) > 10


def test_the_command_has_a_usual_port_and_nothing_of_the_tuner(swept_result: Result) -> None:
    assert ARTIFACTS["command"].render(swept_result) == (
        "# Found on the simulated engine; real hardware will differ.\n"
        "MODE=b '/opt/engine venv/bin/python' -m server --port 8000 --max-num-seqs 32 --max-num-batched-tokens 512\n"
    )


def test_a_task_without_a_winner_has_no_command() -> None:
    with pytest.raises(ConflictError, match=r"has no configuration to export\. No configuration meets the SLOs"):
        ARTIFACTS["command"].render(STORIES["infeasible"])


@pytest.mark.parametrize("story", STORIES)
def test_the_exported_task_file_loads_back_as_the_task(story: str) -> None:
    assert taskfile.parse(str(ARTIFACTS["task"].render(STORIES[story]))) == STORIES[story].spec
