"""Where engines run, by deployment mode. To add one: write it, list it here."""

from collections.abc import Callable

from tuner.deploy.local import Local
from tuner.protocols import Deployer
from tuner.settings import Settings
from tuner.spec.task import LOCAL

DEPLOYERS: dict[str, Callable[[Settings], Deployer]] = {LOCAL: Local}
