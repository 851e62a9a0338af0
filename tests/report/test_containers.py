"""The winner as a container, launched by each engine's own rules."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.results import experiment, point, spec, swept, task_of
from tuner.analysis.result import Result, result
from tuner.domain import Params
from tuner.engines import ENGINES
from tuner.errors import ConflictError
from tuner.launch import Installation
from tuner.report.artifacts import ARTIFACTS
from tuner.spec.values import Value

CONTAINERS = ("compose", "kubernetes")


def won(
    engine: str,
    model: str,
    *,
    cpu_only: bool = False,
    env: dict[str, str] | None = None,
    flags: dict[str, Value] | None = None,
    **task: Any,
) -> Result:
    """A task whose one experiment was launched as this engine launches it."""
    made = spec(base_runtime=engine, model=model, **task)
    params = Params(flags={"max-num-seqs": 8, **(flags or {})}, env=env or {}, parallel={"tp": 2})
    there = Installation(engine, Path("/opt/an engine/bin/python"), "1.2.3", cpu_only=cpu_only)
    launch = ENGINES[engine].launch(model, params, there, None)
    measured = experiment(0, [point(c) for c in (1, 8, 32)], task=made)
    return result(task_of(made), [measured.model_copy(update={"launch": launch, "target": there, "gpus": launch.gpus})])


def service(result: Result) -> dict[str, Any]:
    document = yaml.safe_load(ARTIFACTS["compose"].render(result))
    (one,) = document["services"].values()
    return dict(one)


def pod(result: Result) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pod and its one container."""
    deployment, front = yaml.safe_load_all(ARTIFACTS["kubernetes"].render(result))
    template = deployment["spec"]["template"]
    assert front["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert deployment["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    (container,) = template["spec"]["containers"]
    return template["spec"], container


def after(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def test_a_model_folder_is_mounted_and_the_flags_are_those_that_won(tmp_path: Path) -> None:
    one = service(won("vllm", str(tmp_path), runtime_image_tag="v0.32.0"))
    assert one["image"] == "vllm/vllm-openai:v0.32.0"
    assert (one["entrypoint"], one["command"][:2]) == (["vllm", "serve"], ["/model", "--host"])
    assert after(one["command"], "--host") == "0.0.0.0"
    assert after(one["command"], "--port") == "8000"
    assert (after(one["command"], "--max-num-seqs"), after(one["command"], "--tensor-parallel-size")) == ("8", "2")
    assert one["volumes"] == [{"type": "bind", "source": str(tmp_path), "target": "/model", "read_only": True}]
    assert one["deploy"]["resources"]["reservations"]["devices"][0]["count"] == 2
    assert not any(name.startswith(("AUTOTUNER_", "VLLM_SERVER_DEV_MODE")) for name in one["environment"])


def test_a_manifest_says_the_same(tmp_path: Path) -> None:
    winner = won("vllm", str(tmp_path), runtime_image_tag="v0.32.0")
    one, (outer, inner) = service(winner), pod(winner)
    assert (inner["command"], inner["args"], inner["image"]) == (one["entrypoint"], one["command"], one["image"])
    assert {each["name"]: each["value"] for each in inner["env"]} == one["environment"]
    assert inner["resources"] == {"limits": {"nvidia.com/gpu": "2"}}
    volumes = {each["name"]: each for each in outer["volumes"]}
    assert volumes["model"]["hostPath"]["path"] == str(tmp_path)
    assert {each["name"]: each["mountPath"] for each in inner["volumeMounts"]} == {
        "shared-memory": "/dev/shm", "model": "/model",
    }  # fmt: skip


def test_a_model_of_the_hub_comes_with_its_cache_and_a_token_that_nobody_wrote_down() -> None:
    winner = won("sglang", "org/model", runtime_image_tag="v0.5.5")
    one, (_, inner) = service(winner), pod(winner)
    assert one["entrypoint"] == ["python3", "-m", "sglang.launch_server"]
    assert after(one["command"], "--model-path") == "org/model"
    assert one["volumes"][0]["target"] == "/root/.cache/huggingface"
    assert one["environment"]["HF_TOKEN"] == "${HF_TOKEN:-}"
    assert inner["env"][-1]["valueFrom"]["secretKeyRef"]["optional"] is True


def test_without_a_gpu_the_image_is_another_and_no_gpu_is_asked_for() -> None:
    winner = won("vllm", "org/model", cpu_only=True)
    one, (_, inner) = service(winner), pod(winner)
    assert one["image"] == "vllm/vllm-openai-cpu:latest"
    assert one["entrypoint"] == ["python3", "-m", "vllm.entrypoints.openai.api_server"]
    assert ("deploy" in one, inner["resources"]) == (False, {})
    assert "give the image the tag of its version" in ARTIFACTS["compose"].render(winner)


DOLLARS = ("$HOME costs 5$", "$(HOME)", "$$(HOME)", "$$", "a$$$(B)c", "${HOME:-x}", "$", "(HOME)")


def expanded(text: str, values: dict[str, str]) -> str:
    """As Kubernetes does it: `$(NAME)` by its value where it has one, `$$` by a dollar, anything else as it is."""

    def one(match: re.Match[str]) -> str:
        found = match[0]
        if found == "$$":
            return "$"
        return values.get(found[2:-1], found)

    return re.sub(r"\$\$|\$\([^()]*\)", one, text)


@pytest.mark.parametrize("text", DOLLARS)
def test_what_has_dollars_reaches_the_engine_as_it_was_measured(text: str) -> None:
    winner = won("vllm", "org/model", env={"GREETING": text}, flags={"chat-template": text})
    one, (_, inner) = service(winner), pod(winner)
    (given,) = (each["value"] for each in inner["env"] if each["name"] == "GREETING")
    for kept in (given, after(inner["args"], "--chat-template")):
        assert expanded(kept, {"HOME": "/root", "B": "b"}) == text
    for kept in (one["environment"]["GREETING"], after(one["command"], "--chat-template")):
        assert kept == text.replace("$", "$$")


@pytest.mark.parametrize("name", ["ünï códe 🚀", "🚀", "x-", "a" * 90])
def test_whatever_a_task_is_called_names_are_valid(name: str) -> None:
    deployment, _ = yaml.safe_load_all(ARTIFACTS["kubernetes"].render(won("vllm", "org/model", task_name=name)))
    called = deployment["metadata"]["name"]
    assert called
    assert len(called) <= 63
    assert called.strip("-") == called
    assert called.isascii()


@pytest.mark.parametrize("kind", CONTAINERS)
def test_an_engine_without_an_image_says_how_to_name_one(kind: str) -> None:
    with pytest.raises(ConflictError, match=r"tensorrt-llm has no public image that is known here.*runtime_image_tag"):
        ARTIFACTS[kind].render(won("tensorrt-llm", "org/model"))
    with pytest.raises(ConflictError, match="sglang without a GPU has no public image"):
        ARTIFACTS[kind].render(won("sglang", "org/model", cpu_only=True))
    assert "own.example/trt:1" in ARTIFACTS[kind].render(
        won("tensorrt-llm", "org/model", runtime_image_tag="own.example/trt:1")
    )
    with pytest.raises(ConflictError, match="simulated has no public image"):
        ARTIFACTS[kind].render(swept())
