"""What can be taken away from a task and used elsewhere. To add an artifact: write it, and list it in this table."""

from tuner.report.artifacts import task
from tuner.report.command import command
from tuner.report.containers import compose, kubernetes
from tuner.report.rendering import Rendering

ARTIFACTS: dict[str, Rendering] = {
    "command": Rendering(
        name="command",
        title="Command",
        description="The shell command that serves the best configuration",
        media_type="text/plain; charset=utf-8",
        suffix="sh",
        render=command,
    ),
    "compose": Rendering(
        name="compose",
        title="Compose file",
        description="For docker compose up: image, model, GPUs, flags",
        media_type="application/yaml",
        suffix="yaml",
        render=compose,
    ),
    "kubernetes": Rendering(
        name="kubernetes",
        title="Kubernetes manifest",
        description="A Deployment with its Service, for kubectl apply",
        media_type="application/yaml",
        suffix="yaml",
        render=kubernetes,
    ),
    "task": Rendering(
        name="task",
        title="Task file",
        description="To run this task again, or to change it",
        media_type="application/yaml",
        suffix="yaml",
        render=task.render,
    ),
}
