"""The error that is the conversation's own; every other comes from below."""

from tuner.errors import TunerError


class InvalidInputError(TunerError):
    """A message, a title or an id that cannot be taken as it is."""
