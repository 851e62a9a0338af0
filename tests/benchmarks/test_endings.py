from dataclasses import replace

from tuner.benchmarks.endings import Until


def until(wanted: int = 10, unmeasured: int | None = 2, **changes: float) -> Until:
    level = Until(wanted=wanted, unmeasured=unmeasured, time_s=60.0, patience_s=5.0, began_at=0.0)
    return replace(level, **changes)  # type: ignore[arg-type]


def send(level: Until, *numbers: int, at: float = 0.0, took: float | None = 0.5, answered: bool = True) -> None:
    for number in numbers:
        level.left(str(number), at)
        if took is not None:
            level.settled(str(number), at + took, answered=answered)


def test_it_ends_when_every_measured_request_has_its_outcome() -> None:
    level = until()
    send(level, *range(11))
    assert not level.look(1.0)
    send(level, 11, answered=False)
    assert level.look(1.0)
    assert (level.why, level.ended_at) == ("complete", 1.0)


def test_what_is_sent_first_or_after_the_measured_ones_does_not_end_it() -> None:
    level = until()
    send(level, 0, 1, took=None)
    send(level, *range(2, 11))
    send(level, 11, took=None)
    send(level, *range(12, 40))
    assert not level.look(1.0)


def test_the_last_hundredth_is_given_as_long_as_the_longest_answer_took() -> None:
    level = until(wanted=100, unmeasured=0)
    send(level, *range(99), took=2.0)
    assert not level.look(3.0), "the last one is not due yet"
    send(level, 99, at=3.0, took=None)
    assert not level.look(3.5)
    assert not level.look(5.4)
    assert level.look(5.6)
    assert level.why == "tail"


def test_it_ends_with_its_time() -> None:
    level = until(time_s=30.0)
    send(level, *range(5))
    assert not level.look(29.9)
    assert level.look(30.0)
    assert level.why == "time"


def test_an_engine_that_says_nothing_any_more_is_not_waited_for() -> None:
    level = until(patience_s=5.0)
    send(level, *range(5), took=1.0)
    send(level, *range(5, 9), at=10.0, took=None)
    level.last_sign_at = 11.0
    assert not level.look(15.9)
    assert level.look(16.1)
    assert level.why == "stalled"


def test_where_nothing_is_under_way_nothing_is_stuck() -> None:
    level = until(patience_s=5.0)
    send(level, *range(5), took=1.0)
    assert not level.look(50.0)


def test_an_open_loop_leaves_unmeasured_what_left_before_the_first_outcome_and_a_tenth_at_least() -> None:
    level = until(wanted=10, unmeasured=None)
    send(level, *range(6), took=None)
    assert not level.look(1.0)
    level.settled("0", 1.0, answered=True)
    assert level.unmeasured == 6
    few = until(wanted=200, unmeasured=None)
    send(few, 0)
    assert few.unmeasured == 20


def test_turns_of_a_conversation_that_broke_off_have_their_outcome() -> None:
    level = until(wanted=3, unmeasured=0)
    send(level, 0, answered=False)
    level.settled("1", 0.5, answered=False)
    level.settled("2", 0.5, answered=False)
    assert level.look(1.0)
    assert level.why == "complete"
