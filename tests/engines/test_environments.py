"""Environments, made by a real pip from small wheels in a local folder."""

import fcntl
import json
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuner.errors import NotFoundError, StorageError, UnavailableError
from tuner.installs import environments
from tuner.machine.environments import find
from tuner.protocols import Recipe

TINY = Recipe(requirement="tiny-engine==1.5", module="tiny_engine", disk_gib=0.01)
SPARE = Recipe(
    requirement="tiny-engine==1.5",
    module="tiny_engine",
    disk_gib=0.01,
    first=("tiny-torch==2.0",),
    without=frozenset({"tiny-torch", "tiny-video", "tiny-kernels"}),
    cpu_only=True,
)


def wheel(folder: Path, name: str, version: str, *requires: str) -> None:
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{module}.py", "")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    wheel(
        folder,
        "tiny-engine",
        "1.5",
        "tiny-torch==2.0+cpu",
        "tiny-grammar",
        'tiny-video; extra == "video"',
        "tiny-video",
    )
    wheel(folder, "tiny-grammar", "0.3", "tiny-kernels", "tiny-torch")
    wheel(folder, "tiny-kernels", "9.0")
    wheel(folder, "tiny-video", "1.0")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "a home"


def recipes(monkeypatch: pytest.MonkeyPatch, **table: Recipe) -> None:
    monkeypatch.setattr(environments, "RECIPES", table)


@pytest.mark.slow
def test_an_environment_is_made_without_what_it_can_spare(
    home: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes(monkeypatch, spare=SPARE)
    wheel(wheels, "tiny-torch", "2.0+cpu")
    folder = home / "engines" / "spare"
    folder.mkdir(parents=True)
    (folder / "half").write_text("what an interrupted install left")

    steps: list[str] = []
    made = environments.install(home, "spare", on_line=steps.append)

    assert (made.name, made.version, made.cpu_only) == ("spare", "1.5", True)
    assert made.python.is_relative_to(folder)
    assert not (folder / "half").exists()
    packages = {path.name.split("-")[0] for path in folder.glob("lib/python*/site-packages/tiny_*.dist-info")}
    assert packages == {"tiny_engine", "tiny_torch", "tiny_grammar"}
    assert steps[0] == f"Removing what is in {folder}."
    assert find(home, ["other", "spare"]) == made
    assert environments.installed(home) == [made]

    again: list[str] = []
    assert environments.install(home, "spare", on_line=again.append) == made
    assert again == [f"spare 1.5 is already installed in {folder}."]


@pytest.mark.slow
def test_a_torch_for_gpus_is_refused_before_it_is_installed(
    home: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes(monkeypatch, spare=SPARE)
    wheel(wheels, "tiny-torch", "2.0", "nvidia-blas")
    wheel(wheels, "nvidia-blas", "1.0")
    with pytest.raises(UnavailableError, match="--torch-index"):
        environments.install(home, "spare", on_line=lambda _: None)
    assert find(home, ["spare"]) is None

    local = wheels.parent / "cpu wheels"
    local.mkdir()
    wheel(local, "tiny-torch", "2.0+cpu")
    made = environments.install(home, "spare", torch_index=str(local), on_line=lambda _: None)
    assert made.version == "1.5"


@pytest.mark.slow
def test_a_failed_install_says_what_pip_said_and_counts_as_none(
    home: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes(monkeypatch, tiny=TINY)  # nothing offers the torch that it asks for
    with pytest.raises(UnavailableError, match="No matching distribution found for tiny-torch"):
        environments.install(home, "tiny", on_line=lambda _: None)
    assert find(home, ["tiny"]) is None


def test_an_interpreter_that_is_there_can_be_named_instead(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes(monkeypatch, click=Recipe(requirement="click", module="click", disk_gib=1))
    made = environments.register(home, "click", Path(sys.executable))
    assert made.python == Path(sys.executable).absolute()
    assert made.version[0].isdigit()
    assert find(home, ["click"]) == made
    assert environments.install(home, "click", on_line=lambda _: None) == made


def test_an_interpreter_without_the_engine_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes(monkeypatch, tiny=TINY)
    with pytest.raises(UnavailableError, match="No module named 'tiny_engine'"):
        environments.register(home, "tiny", Path(sys.executable))
    assert find(home, ["tiny"]) is None


@pytest.mark.parametrize("content", [None, "#!/bin/sh\n"])
def test_what_is_no_interpreter_is_refused(home: Path, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "python"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UnavailableError, match="is no program"):
        environments.register(home, "vllm", path)


def test_the_first_complete_one_of_several_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Recipe(requirement="click", module="click", disk_gib=1)
    recipes(monkeypatch, one=here, two=here)
    two = environments.register(home, "two", Path(sys.executable))
    assert find(home, ["one", "two"]) == two
    one = environments.register(home, "one", Path(sys.executable))
    assert find(home, ["one", "two"]) == one


@pytest.mark.parametrize("record", ["", "{}", '{"name": "vllm", "version": "1", "python": "bin/python"'])
def test_a_damaged_record_is_no_environment(home: Path, record: str) -> None:
    folder = home / "engines" / "vllm"
    folder.mkdir(parents=True)
    (folder / "environment.json").write_text(record)
    assert find(home, ["vllm"]) is None


def test_an_environment_whose_interpreter_is_gone_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes(monkeypatch, click=Recipe(requirement="click", module="click", disk_gib=1))
    environments.register(home, "click", Path(sys.executable))
    path = home / "engines" / "click" / "environment.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "python": str(home / "gone")}))
    assert find(home, ["click"]) is None


def test_what_is_built_in_runs_on_our_own_interpreter(home: Path) -> None:
    found = find(home, [])
    assert found is not None
    assert found.python == Path(sys.executable)


def test_an_unknown_name_is_answered_with_the_known_ones(home: Path) -> None:
    with pytest.raises(NotFoundError, match=r"No environment 'vlm'; there are vllm, vllm-cpu,"):
        environments.install(home, "vlm")


def test_too_little_disk_space_is_said_before_anything_is_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes(monkeypatch, huge=Recipe(requirement="huge", module="huge", disk_gib=10_000_000))
    with pytest.raises(StorageError, match=r"huge needs 1e\+07 GiB, but .* GiB free"):
        environments.install(home, "huge")
    assert not (home / "engines" / "huge").exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"):
        environments.install(tmp_path / "home", "vllm")


def test_a_python_that_is_too_new_is_replaced_by_one_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "python3.10"
    older.write_text("#!/bin/sh\n")
    older.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    recipe = Recipe(requirement="x", module="x", disk_gib=1, python_below=(3, 11))
    assert environments._interpreter("old", recipe) == str(older)


def test_a_python_that_is_too_new_and_alone_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes(monkeypatch, old=Recipe(requirement="x", module="x", disk_gib=0.01, python_below=(3, 0)))
    with pytest.raises(UnavailableError, match=r"old needs a Python below 3\.0"):
        environments.install(home, "old")


@pytest.fixture
def held(home: Path) -> Iterator[threading.Timer]:
    """Somebody else's install, which ends after a moment."""
    path = home / "engines" / "click.lock"
    path.parent.mkdir(parents=True)
    lock = path.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    timer = threading.Timer(0.2, lock.close)
    timer.start()
    yield timer
    timer.join()
    lock.close()


@pytest.mark.usefixtures("held")
def test_a_second_install_waits_for_the_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes(monkeypatch, click=Recipe(requirement="click", module="click", disk_gib=10_000_000))
    steps: list[str] = []
    with pytest.raises(StorageError):
        environments.install(home, "click", on_line=steps.append)
    assert steps == ["Another install of click is running; waiting for it."]


def test_the_load_generator_is_the_one_that_our_extra_names() -> None:
    assert environments._requirement(environments.RECIPES["genai-bench"]).startswith("genai-bench==")
