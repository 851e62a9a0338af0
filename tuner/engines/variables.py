"""Environment variables that a task cannot set for its engine, whichever it is."""

from collections.abc import Mapping

from tuner.machine.hardware import VISIBLE

GPUS = (
    "the tuner gives each experiment its GPUs: parallel_config says how many, and the tuner's own environment which "
    f"({VISIBLE}=0,1 autotuner tune FILE)"
)
ADDRESS = "the tuner picks a free port on the loopback interface"
RESERVED: Mapping[str, str] = {
    **dict.fromkeys((VISIBLE, "NVIDIA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"), GPUS),
    **dict.fromkeys(("HOST", "PORT"), ADDRESS),
}
OWN = "AUTOTUNER_"
"""Begins the names of the tuner's own variables, by which what it started is found again."""


def refusal(name: str, reserved: Mapping[str, str]) -> str | None:
    """Why a task cannot set a variable; None: it can.

    Args:
        reserved: what its engine says of others (`Engine.reserved_env`).
    """
    why = reserved.get(name) or RESERVED.get(name.upper())
    if why is None and name.upper().startswith(OWN):
        why = "variables of this name are the tuner's own"
    return f"{name} cannot be set: {why}" if why else None
