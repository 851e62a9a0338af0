"""What is built for others to install holds all that the checkout runs on."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.fakes.command import ROOT

pytestmark = pytest.mark.slow

PACKAGES = ("agent", "api", "prompts", "tools", "tuner")


def test_a_wheel_holds_every_module_prompt_template_the_built_page_and_the_license(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    page = ("ui/dist/index.html", "ui/dist/assets/main.js")
    for name in page:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("built")
    unbuilt = tree / "ui" / "node_modules" / "other.js"
    unbuilt.parent.mkdir()
    unbuilt.touch()
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, tree],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    held = {name for name in names if ".dist-info/" not in name}
    ours = {str(file.relative_to(tree)) for name in PACKAGES for file in (tree / name).rglob("*") if file.is_file()}
    assert held == ours | set(page)
