"""A data folder of one's own that borrows the installed genai-bench."""

from pathlib import Path

import pytest

from tuner.machine.environments import find
from tuner.settings import Settings


def genai_home(folder: Path) -> Path:
    """Skips the test where genai-bench is not installed."""
    if find(Settings().home, ["genai-bench"]) is None:
        pytest.skip("genai-bench is not installed; run: autotuner engine install genai-bench")
    (folder / "engines").mkdir(parents=True)
    (folder / "engines" / "genai-bench").symlink_to(Settings().engines.absolute() / "genai-bench")
    return folder
