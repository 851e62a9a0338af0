"""What can be taken away from a task and used elsewhere. To add an artifact: write it, and list it in this table."""

from tuner.report.artifacts import task
from tuner.report.command import command
from tuner.report.containers import compose, kubernetes
from tuner.report.rendering import Rendering

YAML = "application/yaml"

ARTIFACTS: dict[str, Rendering] = {
    "command": Rendering(
        "Command", "The shell command that serves the best configuration", "text/plain; charset=utf-8", "sh", command
    ),
    "compose": Rendering("Compose file", "For docker compose up: image, model, GPUs, flags", YAML, "yaml", compose),
    "kubernetes": Rendering(
        "Kubernetes manifest", "A Deployment with its Service, for kubectl apply", YAML, "yaml", kubernetes
    ),
    "task": Rendering("Task file", "To run this task again, or to change it", YAML, "yaml", task.render),
}
