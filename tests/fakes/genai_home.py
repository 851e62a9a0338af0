"""A data folder of one's own that borrows an installed load generator."""

from pathlib import Path

import pytest

from tuner.machine.environments import find
from tuner.settings import Settings


def genai_home(folder: Path, name: str = "genai-bench") -> Path:
    """Skips the test where the load generator is not installed."""
    if find(Settings().home, [name]) is None:
        pytest.skip(f"{name} is not installed; run: autotuner engine install {name}")
    (folder / "engines").mkdir(parents=True)
    (folder / "engines" / name).symlink_to(Settings().engines.absolute() / name)
    return folder
