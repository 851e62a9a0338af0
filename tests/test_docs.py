"""What is written about the project is true: the reference is what the models say, and every file named is there."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_house import ROOT, tracked
from tuner.spec import taskfile

DOCS = ROOT / "docs"
REFERENCE = runpy.run_path(str(DOCS / "reference.py"))
TASK, VARIABLES = ((DOCS / "reference" / name).read_text() for name in ("task.md", "settings.md"))
EXAMPLES = [path for path in sorted((ROOT / "examples").glob("*.*")) if path.name not in ("demo.chat", "policy.yaml")]
OWN_NAMES = ("parameters", "environment", "additional_params", "spec", "overrides", "labels", "annotations")
ROW = re.compile(r"^\| (`.+?`) \|", re.MULTILINE)

PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *sorted(DOCS.rglob("*.md"))]
FILE = re.compile(r"(?<![\w.<*/:-])[\w.-][\w./-]*\.(?:py|pyi|tsx?|mjs|toml|ya?ml|json|md|css)\b(?![\w/*])")
FOLDER = re.compile(r"(?<![\w.<*/:-])(?:agent|api|docs|examples|prompts|tests|tools|tuner|ui)/[\w./-]*")


def test_the_reference_is_what_the_models_say() -> None:
    assert REFERENCE["stale"]() == []


def test_a_reference_that_is_missing_or_was_edited_is_stale(tmp_path: Path) -> None:
    (tmp_path / "settings.md").write_text(VARIABLES)
    (tmp_path / "task.md").write_text(TASK.replace("| `20` |", "| `21` |"))
    assert REFERENCE["stale"](tmp_path) == ["task.md"]
    (tmp_path / "settings.md").unlink()
    assert REFERENCE["stale"](tmp_path) == ["task.md", "settings.md"]


def keys(spec: object) -> Iterator[str]:
    """Every key of a block and of the blocks in it, but for names that the user makes up."""
    if isinstance(spec, dict):
        for name, inner in spec.items():
            yield name
            if name not in OWN_NAMES:
                yield from keys(inner)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_key_of_an_example_is_in_the_reference(example: Path) -> None:
    used = set(keys(taskfile.parse(example.read_text()).model_dump(exclude_unset=True)))
    assert used >= {"task_name", "model", "id_or_path"}
    assert used - {name.strip("`") for name in ROW.findall(TASK)} == set()


def test_every_variable_that_readme_names_is_in_the_reference() -> None:
    named = set(re.findall(r"`([A-Z_]+)`", VARIABLES))
    used = set(re.findall(r"\b(?:AUTOTUNER|HF)_[A-Z_]+\b", (ROOT / "README.md").read_text()))
    assert used - named == set()
    assert used


def absent(text: str) -> set[str]:
    """Files and folders of the project that a text names and that are not there, by the end of their path."""
    there = [f"/{path.relative_to(ROOT)}" for path in tracked()]
    files = {name for name in FILE.findall(text) if not any(path.endswith(f"/{name}") for path in there)}
    folders = {name.rstrip("./") for name in FOLDER.findall(text)}
    return files | {name for name in folders if not any(f"{path}/".startswith(f"/{name}/") for path in there)}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_and_folder_that_a_page_names_is_there(page: Path) -> None:
    assert absent(page.read_text()) == set()


def test_a_file_that_is_not_there_is_seen() -> None:
    text = "`tests/test_docs.py` conftest.py → gone.py, tuner/engin/ (`docs/`, in tests/fakes. [x](docs/gone.md)) https://a.b/ui/c.py"
    assert absent(text) == {"gone.py", "tuner/engin", "docs/gone.md"}
