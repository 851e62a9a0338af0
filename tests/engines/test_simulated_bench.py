"""genai-bench as its makers ship it runs against the simulated engine."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.fakes.simulated_process import MODEL, simulated
from tuner.engines.models import demo_model
from tuner.machine.environments import find
from tuner.settings import Settings


@pytest.mark.bench
def test_genai_bench_runs_unchanged_and_counts_every_token(tmp_path: Path) -> None:
    installed = find(Settings().home, ["genai-bench"])
    if installed is None:
        pytest.skip("genai-bench is not installed; run: autotuner engine install genai-bench")
    tokenizer = demo_model.make(tmp_path / MODEL)
    request = {"ignore_eos": True, "temperature": 0.0}
    with simulated("--sim-speed", "2") as server:
        options = {
            "api-backend": "vllm",
            "api-base": server.url,
            "api-key": "none",
            "task": "text-to-text",
            "api-model-name": MODEL,
            "model-tokenizer": str(tokenizer),
            "num-concurrency": "4",
            "traffic-scenario": "D(64,8)",
            "max-time-per-run": "1",
            "max-requests-per-run": "12",
            "server-engine": "vLLM",
            "additional-request-params": json.dumps(request),
            "experiment-base-dir": str(tmp_path),
            "experiment-folder-name": "out",
        }
        program = [str(installed.python.with_name("genai-bench")), "benchmark"]
        subprocess.run(
            [*program, *(part for name, value in options.items() for part in (f"--{name}", value))],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "ENABLE_UI": "false"},
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
    (level,) = (tmp_path / "out").glob("D64_8_*.json")
    requests = json.loads(level.read_text())["individual_request_metrics"]
    answered = [request for request in requests if not request.get("error_code")]
    assert len(answered) == len(requests) >= 12
    assert {request["num_output_tokens"] for request in answered} == {8}
    assert all(0 < request["ttft"] < request["e2e_latency"] for request in answered)
