"""Levels of which only times are wrong are measured again: a busy machine may have spoiled them, once."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from tests.fakes.oracle.judge import Verdict
from tests.fakes.oracle.metronome import Lateness
from tests.fakes.oracle.process import Oracle

TRIES = 4
Case = TypeVar("Case")


async def settle(oracle: Oracle, found: dict[Case, Verdict], measure: Callable[[Case], Awaitable[Verdict]]) -> None:
    """By themselves and when it is quiet; where it never is, nothing can be said of them."""
    late = Lateness()
    for case in [case for case in found for _ in range(TRIES)]:
        if found[case].only_times and late.quiet:
            late = await oracle.wait_for_quiet()
            found[case] = await measure(case) if late.quiet else found[case]
        if found[case].only_times and not late.quiet:
            found[case] = replace(found[case], late=late)
