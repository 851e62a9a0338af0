"""Where engines run, by deployment mode. To add one: write it, list it here."""

from collections.abc import Callable

from tuner.deploy.local import Local
from tuner.protocols import Deployer
from tuner.settings import Settings


def _local(settings: Settings) -> Deployer:
    return Local(settings.home / "processes", settings.port_low, settings.port_high)


DEPLOYERS: dict[str, Callable[[Settings], Deployer]] = {"local": _local}
