"""How to choose the load levels of an experiment, by name. A new policy is one file and one line here."""

from tuner.protocols import LoadPolicy
from tuner.search.load_policies.fixed import Fixed

LOAD_POLICIES: dict[str, LoadPolicy] = {"fixed": Fixed()}
