"""The winning configuration as a container: a Compose file, and a Kubernetes manifest."""

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import yaml

from tuner.analysis.result import Result
from tuner.domain import Experiment
from tuner.engines import ENGINES
from tuner.engines.argv import located
from tuner.errors import ConflictError
from tuner.report.command import PORT, arguments, settings, winning

MODEL = "/model"
HUB = "/root/.cache/huggingface"
START_S = 1800
"""For the engine to load a large model."""


@dataclass(frozen=True)
class Container:
    name: str
    image: str
    entrypoint: list[str]
    args: list[str]
    env: dict[str, str]
    gpus: int
    folder: str | None
    """The model's on the host; None: it comes from the hub."""


def compose(result: Result) -> str:
    """A file for `docker compose up`: the engine on port 8000 of the host, with its model and its GPUs.

    Raises:
        ConflictError: no configuration has won, or the engine has no image.
    """
    one = _container(result)
    hub = "${HF_HOME:-~/.cache/huggingface}"
    service: dict[str, Any] = {
        "image": one.image,
        "entrypoint": [_literal(part) for part in one.entrypoint],
        "command": [_literal(part) for part in one.args],
        "environment": {name: _literal(value) for name, value in one.env.items()},
        "ports": [f"{PORT}:{PORT}"],
        "volumes": [
            {"type": "bind", "source": _literal(one.folder), "target": MODEL, "read_only": True}
            if one.folder
            else {"type": "bind", "source": hub, "target": HUB}
        ],
        "ipc": "host",  # the ranks of an engine talk through shared memory
        "restart": "unless-stopped",
    }
    if not one.folder:
        service["environment"]["HF_TOKEN"] = "${HF_TOKEN:-}"  # noqa: S105
    if one.gpus:
        device = {"driver": "nvidia", "count": one.gpus, "capabilities": ["gpu"]}
        service["deploy"] = {"resources": {"reservations": {"devices": [device]}}}
    return _notes(result) + _yaml({"services": {one.name: service}})


def kubernetes(result: Result) -> str:
    """A Deployment and its Service for `kubectl apply`; a model folder is expected at the same place on the node.

    Raises:
        ConflictError: no configuration has won, or the engine has no image.
    """
    one = _container(result)
    labels = {"app.kubernetes.io/name": one.name}
    env: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in one.env.items()]
    if not one.folder:
        secret = {"secretKeyRef": {"name": "hf-token", "key": "token", "optional": True}}
        env.append({"name": "HF_TOKEN", "valueFrom": secret})
    model = {"name": "model", "hostPath": {"path": one.folder, "type": "Directory"}} if one.folder else None
    health = {"httpGet": {"path": "/health", "port": "http"}}
    container: dict[str, Any] = {
        "name": "engine",
        "image": one.image,
        "command": one.entrypoint,
        "args": one.args,
        "env": env,
        "ports": [{"name": "http", "containerPort": int(PORT)}],
        "startupProbe": {**health, "periodSeconds": 5, "failureThreshold": START_S // 5},
        "readinessProbe": {**health, "periodSeconds": 5},
        "resources": {"limits": {"nvidia.com/gpu": str(one.gpus)}} if one.gpus else {},
        "volumeMounts": [
            {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108
            *([{"name": "model", "mountPath": MODEL, "readOnly": True}] if model else []),
        ],
    }
    pod = {
        "containers": [container],
        "volumes": [{"name": "shared-memory", "emptyDir": {"medium": "Memory"}}, *([model] if model else [])],
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": one.name, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "strategy": {"type": "Recreate"},  # two would not find GPUs enough
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": one.name, "labels": labels},
        "spec": {"selector": labels, "ports": [{"name": "http", "port": int(PORT), "targetPort": "http"}]},
    }
    return _notes(result) + f"{_yaml(deployment)}---\n{_yaml(service)}"


def _container(result: Result) -> Container:
    winner = winning(result)
    model = located(result.spec.model.id_or_path)
    folder = model if model.startswith("/") else None
    program, *rest = (MODEL if part == folder else part for part in arguments(winner))
    module = rest[:2] if rest[:1] == ["-m"] else []
    words = rest[len(module) :]
    return Container(
        name=re.sub(r"[^a-z0-9]+", "-", result.task_name.lower())[:50].strip("-") or "engine",
        image=_image(result, winner),
        # In the image the interpreter and its programs are on the path.
        entrypoint=["python3", *module] if module else [PurePath(program).name],
        args=["0.0.0.0" if before == "--host" else word for before, word in zip(["", *words], words, strict=False)],  # noqa: S104
        env=settings(winner),
        gpus=winner.gpus,
        folder=folder,
    )


def _image(result: Result, winner: Experiment) -> str:
    tag, engine = result.spec.runtime_image_tag, ENGINES[result.spec.base_runtime]
    if tag and "/" in tag:
        return tag
    image = engine.image if winner.gpus else engine.cpu_image
    if image is None:
        raise ConflictError(
            f"{engine.name} {'without a GPU ' if engine.image else ''}has no public image that is known here. "
            "Export the command instead, or name a whole image (`name/of-it:tag`) in the task's runtime_image_tag."
        )
    return f"{image}:{tag or 'latest'}"


def _notes(result: Result) -> str:
    """What a reader should know, as comments."""
    label = "# Found on the simulated engine; real hardware will differ.\n" if result.simulated else ""
    if result.spec.runtime_image_tag:
        return label
    return f"{label}# Measured on an installed engine: give the image the tag of its version.\n"


def _literal(text: str) -> str:
    """Compose puts variables in the place of `$NAME`."""
    return text.replace("$", "$$")


def _yaml(document: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return text
