"""The house rules that a machine can check."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tuner.cli import table
from tuner.search import space
from tuner.spec import taskfile

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# `ui` holds the built page and no code.
PACKAGES = [name for name in PROJECT["tool"]["setuptools"]["packages"] if name != "ui"]
TOP_LEVEL = sorted({name.split(".")[0] for name in PACKAGES})


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_our_generic_package_names_are_ours(name: str) -> None:
    module = import_module(name)
    assert module.__file__ is not None
    assert Path(module.__file__).is_relative_to(ROOT)
    assert set(packages_distributions().get(name, [])) <= {"autotuner"}


def test_every_package_is_listed() -> None:
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in tracked()
        if path.name == "__init__.py" and path.relative_to(ROOT).parts[0] in TOP_LEVEL
    }
    assert found == set(PACKAGES)


def test_no_registry_no_path_of_this_machine_and_nothing_built_is_committed() -> None:
    address = re.compile(r"https?://[^\s\"')]*(?:py" + r"pi|npm" + r"js|python" + r"hosted)|" + re.escape(str(ROOT)))
    built = re.compile(r"(^|/)(uv\.lock|node_modules/|dist/|\.venv/|__pycache__/|.*\.db$)")
    for path in tracked():
        name = str(path.relative_to(ROOT))
        assert not built.search(name), name
        if path.stat().st_size < 3_000_000:
            assert not address.search(path.read_text(errors="ignore")), name


def test_the_lock_names_every_dependency_with_its_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["dev"]]
    for requirement in wanted:
        name = re.split(r"[\[>=<]", requirement)[0]
        assert re.search(rf"^{re.escape(name)}==\S+.* \\\n    --hash=sha256:", lock, re.MULTILINE), name


def test_every_import_of_the_product_is_declared_and_every_dependency_is_imported() -> None:
    declared = {re.split(r"[\[>=<]", requirement)[0] for requirement in PROJECT["project"]["dependencies"]}
    # The processes of load generators run in environments of their own; fastmcp is split into several distributions.
    drivers = dict.fromkeys(("genai_bench", "gevent", "locust", "guidellm", "transformers"), ())
    owners = {**packages_distributions(), "fastmcp": ["fastmcp"], **drivers}
    imported = {
        name
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in TOP_LEVEL
        for name in re.findall(r"^\s*(?:from|import) (\w+)[\w.]*(?: import| as|$)", path.read_text(), re.MULTILINE)
        if name not in {*TOP_LEVEL, *sys.stdlib_module_names}
    }
    normal = {name: {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners[name]} for name in imported}
    assert {name for name, of in normal.items() if of and not of & declared} == set()
    assert declared - set().union(*normal.values()) == set()


def test_readme_names_only_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in re.findall(r"^(?:\$ )?(?:\.venv/bin/)?autotuner ([a-z]+)", readme, re.MULTILINE):
        assert name in table()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z]+)`", readme):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_task_in_readme_is_one_that_can_be_planned() -> None:
    (task,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    built = space.build(taskfile.parse(task), parallel_presets={}, quant_presets={}, refusal=lambda params: None)
    assert built.varied
    assert built.candidates


def test_files_and_functions_stay_small() -> None:
    """Half of the files at most 120 lines, 19 of 20 at most 300; 19 of 20 functions at most 40 lines."""
    sources = [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in TOP_LEVEL]
    trees = {path: ast.parse(path.read_text()) for path in sources}
    lengths = sorted(len(path.read_text().splitlines()) for path, tree in trees.items() if len(tree.body) > 1)
    functions = sorted(
        node.end_lineno - node.lineno + 1
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    )
    assert lengths[len(lengths) // 2] <= 120
    assert lengths[len(lengths) * 19 // 20] <= 300
    assert functions[len(functions) * 19 // 20] <= 40
