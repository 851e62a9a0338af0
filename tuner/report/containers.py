"""The winning configuration as a container: a Compose file, and a Kubernetes manifest."""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from tuner.analysis.result import Result
from tuner.deploy import images
from tuner.domain import Experiment
from tuner.engines import ENGINES
from tuner.errors import ConflictError
from tuner.launch import MODEL_MOUNT, Image, Launch
from tuner.report.command import PORT, label, template, winning

HUB = "/root/.cache/huggingface"
START_S = 1800
"""For the engine to load a large model."""


@dataclass(frozen=True)
class Container:
    name: str
    launch: Launch
    image: Image

    @property
    def entrypoint(self) -> list[str]:
        return list(self.image.command(self.launch.program))

    @property
    def args(self) -> list[str]:
        return list(self.launch.arguments(self.image, self.image.host, PORT))


def compose(result: Result) -> str:
    """A file for `docker compose up`: the engine on port 8000 of the host, with its model and its GPUs.

    Raises:
        ConflictError: no configuration has won, or the engine has no image.
    """
    one = _container(result)
    hub = "${HF_HOME:-~/.cache/huggingface}"
    service: dict[str, Any] = {
        "image": one.image.reference,
        "entrypoint": [_literal(part) for part in one.entrypoint],
        "command": [_literal(part) for part in one.args],
        "environment": {name: _literal(value) for name, value in one.launch.env.items()},
        "ports": [f"{PORT}:{PORT}"],
        "volumes": [
            {"type": "bind", "source": _literal(one.launch.folder), "target": str(MODEL_MOUNT), "read_only": True}
            if one.launch.folder
            else {"type": "bind", "source": hub, "target": HUB}
        ],
        "ipc": "host",  # the ranks of an engine talk through shared memory
        "restart": "unless-stopped",
    }
    if not one.launch.folder:
        service["environment"]["HF_TOKEN"] = "${HF_TOKEN:-}"  # noqa: S105
    if one.launch.gpus:
        device = {"driver": "nvidia", "count": one.launch.gpus, "capabilities": ["gpu"]}
        service["deploy"] = {"resources": {"reservations": {"devices": [device]}}}
    return _notes(result) + _yaml({"services": {one.name: service}})


def kubernetes(result: Result) -> str:
    """A Deployment and its Service for `kubectl apply`; a model folder is expected at the same place on the node.

    Raises:
        ConflictError: no configuration has won, or the engine has no image.
    """
    one = _container(result)
    labels = {"app.kubernetes.io/name": one.name}
    env: list[dict[str, Any]] = [{"name": name, "value": _literal(value)} for name, value in one.launch.env.items()]
    if not one.launch.folder:
        secret = {"secretKeyRef": {"name": "hf-token", "key": "token", "optional": True}}
        env.append({"name": "HF_TOKEN", "valueFrom": secret})
    model = (
        {"name": "model", "hostPath": {"path": one.launch.folder, "type": "Directory"}} if one.launch.folder else None
    )
    health = {"httpGet": {"path": one.launch.health_path, "port": "http"}}
    container: dict[str, Any] = {
        "name": "engine",
        "image": one.image.reference,
        "command": [_literal(part) for part in one.entrypoint],
        "args": [_literal(part) for part in one.args],
        "env": env,
        "ports": [{"name": "http", "containerPort": PORT}],
        "startupProbe": {**health, "periodSeconds": 5, "failureThreshold": START_S // 5},
        "readinessProbe": {**health, "periodSeconds": 5},
        "resources": {"limits": {"nvidia.com/gpu": str(one.launch.gpus)}} if one.launch.gpus else {},
        "volumeMounts": [
            {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108
            *([{"name": "model", "mountPath": str(MODEL_MOUNT), "readOnly": True}] if model else []),
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
        "spec": {"selector": labels, "ports": [{"name": "http", "port": PORT, "targetPort": "http"}]},
    }
    return _notes(result) + f"{_yaml(deployment)}---\n{_yaml(service)}"


def _container(result: Result) -> Container:
    winner = winning(result)
    return Container(
        name=re.sub(r"[^a-z0-9]+", "-", result.task_name.lower())[:50].strip("-") or "engine",
        launch=template(result.spec, winner),
        image=_image(result, winner),
    )


def _image(result: Result, winner: Experiment) -> Image:
    """Without a GPU the engine is started as its CPU build is."""
    if isinstance(winner.target, Image):
        return winner.target
    engine, cpu_only = ENGINES[result.spec.base_runtime], not winner.gpus
    reference = images.reference(engine, result.spec.runtime_image_tag, cpu_only=cpu_only)
    if reference is None:
        raise ConflictError(
            f"{engine.name} {'without a GPU ' if engine.image else ''}has no public image that is known here. "
            "Export the command instead, or name a whole image (`name/of-it:tag`) in the task's runtime_image_tag."
        )
    return Image(reference, cpu_only=cpu_only)


def _notes(result: Result) -> str:
    """What a reader should know, as comments."""
    if result.spec.runtime_image_tag:
        return label(result)
    return f"{label(result)}# Measured on an installed engine: give the image the tag of its version.\n"


def _literal(text: str) -> str:
    """Compose puts variables in the place of `$NAME`, Kubernetes in that of `$(NAME)`; both take `$$` for a dollar."""
    return text.replace("$", "$$")


def _yaml(document: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return text
