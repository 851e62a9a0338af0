"""Where engines run, by deployment mode. To add one: write it, list it here."""

from collections.abc import Callable

from tuner.deploy.local import Local
from tuner.protocols import Deployer
from tuner.settings import Settings
from tuner.spec.task import DeploymentMode

DEPLOYERS: dict[DeploymentMode, Callable[[Settings], Deployer]] = {DeploymentMode.LOCAL: Local}
