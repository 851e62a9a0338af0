"""Nothing of a log is lost, shown twice or shown too early, whatever is done to its file while it is read."""

import os
from pathlib import Path

import pytest

from tuner.logs.cleaning import LINE_BYTES, LINE_LENGTH, clean
from tuner.logs.files import series, set_aside
from tuner.logs.following import CHUNK_BYTES, Reader
from tuner.logs.tail import TOO_LONG, ending, tail
from tuner.machine import log_limit

TOKEN = "hf_S3sameOpenThyself9"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "engine.log"


def add(log: Path, text: str | bytes) -> None:
    with log.open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def rest(reader: Reader) -> str:
    read = ""
    while text := reader.read(rest=True):
        read += text
    return read


def numbered(first: int, last: int) -> str:
    return "".join(f"line {number}\n" for number in range(first, last))


# Files that change


def test_what_is_written_before_and_after_a_log_is_set_aside_is_read_in_order(log: Path) -> None:
    log.write_text("one\n")
    reader = Reader(log)
    assert reader.read() == "one\n"
    add(log, "two\nthr")
    set_aside(log)
    assert reader.read() == "two\n"
    assert reader.read() == "thr"
    assert reader.read() == ""
    for start in ("a\n", "b\n", "c\n"):  # twice set aside between two looks
        set_aside(log)
        log.write_text(start)
    assert [path.name for path in series(log)] == ["engine.1.log", "engine.2.log", "engine.3.log", "engine.log"]
    assert [reader.read() for _ in range(5)] == ["\n", "a\n", "b\n", "c\n", ""]
    add(log, "d\n")
    assert reader.read() == "d\n"


def test_logs_are_set_aside_by_number_and_others_stand_beside(log: Path) -> None:
    set_aside(log)
    for number in range(12):
        log.write_text(f"{number}\n")
        set_aside(log)
    (log.parent / "engine.old.log").write_text("by somebody\n")
    assert [path.name for path in series(log)][-3:] == ["engine.11.log", "engine.12.log", "engine.log"]
    assert [int(path.read_text()) for path in series(log)[:-1]] == list(range(12))


def test_a_log_that_is_begun_anew_in_place_is_read_from_its_beginning_also_where_it_is_longer(log: Path) -> None:
    log.write_text("old\n")
    reader = Reader(log)
    assert reader.read() == "old\n"
    log.write_text("")
    assert reader.read() == ""
    log.write_text("a new one that is longer\n")
    assert reader.read() == "a new one that is longer\n"
    log.unlink()
    assert reader.read() == ""
    log.write_text("a third one, longer than both that were before it\n")
    assert reader.read() == "a third one, longer than both that were before it\n"


def test_a_log_that_is_cut_while_it_is_followed_and_written_loses_and_repeats_nothing(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_limit, "KEPT_BYTES", 6000)
    log.write_text(numbered(0, 1000))
    reader, pread = Reader(log), os.pread
    read = rest(reader)
    add(log, numbered(1000, 1010))
    waiting = [numbered(1010, 1020)]

    def meanwhile(descriptor: int, size: int, place: int) -> bytes:
        found = pread(descriptor, size, place)
        if waiting:
            add(log, waiting.pop())
        return found

    monkeypatch.setattr(os, "pread", meanwhile)
    log_limit._cut(log)
    monkeypatch.setattr(os, "pread", pread)
    assert log.stat().st_size < 6500
    add(log, numbered(1020, 1030))
    assert read + rest(reader) == numbered(0, 1030)


@pytest.mark.parametrize("lines", [0, 1, 3, 100])
def test_a_reader_begins_with_the_last_lines(log: Path, lines: int) -> None:
    log.write_text(numbered(0, 20) + "unfin")
    reader = Reader(log, lines=lines)
    assert reader.read() == ("" if lines < 2 else numbered(max(0, 21 - lines), 20))
    add(log, "ished\n")
    assert reader.read() == ("ished\n" if lines == 0 else "unfinished\n")
    later = Reader(log.with_name("later.log"), lines=lines)
    assert later.read() == ""
    (log.with_name("later.log")).write_text("all of it\n")
    assert later.read() == "all of it\n"


# Text that is cut


@pytest.mark.parametrize("at", range(len(TOKEN) + 1))
def test_a_token_whose_end_is_not_yet_written_is_not_shown_in_two_halves(log: Path, at: int) -> None:
    log.write_text(f"before\nlogin with {TOKEN[:at]}")
    end = ending(log, 10)
    add(log, f"{TOKEN[at:]} and go on\nafter\n")
    come = Reader(log, end.position).read()
    shown = "\n".join(end.lines) + come
    assert not any(TOKEN[n : n + 6] in shown for n in range(len(TOKEN) - 5))
    assert come.endswith(" and go on\nafter\n")


@pytest.mark.parametrize("text", ["\x1b[31mred\x1b[0m ö \x1b]0;title\x07 end", "10%\r20%\r\n", "漢字\n"])
def test_escapes_and_characters_may_be_cut_anywhere(log: Path, text: str) -> None:
    raw = f"first\n{text}".encode()
    log.write_bytes(raw)
    whole = rest(Reader(log)).splitlines()
    for at in range(6, len(raw)):
        log.write_bytes(raw[:at])
        end = ending(log, 10)
        log.write_bytes(raw)
        shown = "\n".join(end.lines) + ("\n" if end.position == 6 else "") + rest(Reader(log, end.position))
        assert "\ufffd" not in shown
        assert all(one.isprintable() or one == "\n" for one in shown)
        assert shown.splitlines() in (whole, [whole[0], *whole[2:]])


def test_of_an_endless_line_only_the_beginning_is_shown_wherever_reading_begins(log: Path) -> None:
    endless = "x" * 400 + " " + "y" * (3 * CHUNK_BYTES) + f" {TOKEN}"
    log.write_text(f"first\n{endless}")
    reader = Reader(log)
    assert reader.read() == "first\n"
    assert rest(reader) == endless[:LINE_LENGTH]
    add(log, f"{TOKEN}\nlast\n")
    assert reader.read() == "\nlast\n"
    for position in (6 + CHUNK_BYTES, 6 + 2 * CHUNK_BYTES + 5, 6 + len(endless)):
        assert Reader(log, position).read() == "\nlast\n"
    assert tail(log, max_bytes=CHUNK_BYTES) == ["last"]
    assert tail(log, max_bytes=3) == [TOO_LONG]


@pytest.mark.parametrize("at", range(LINE_LENGTH - 30, LINE_LENGTH + 2))
@pytest.mark.parametrize("coloured", [False, True])
def test_a_token_at_the_end_of_what_is_shown_is_recognized(at: int, coloured: bool) -> None:
    before = "".join(f"\x1b[{n % 100}m-" for n in range(at)) if coloured else "-" * at
    shown = clean(f"{before}{TOKEN} {'z' * 2 * LINE_BYTES}")
    assert "hf_" not in shown
    assert len(shown) <= LINE_LENGTH


@pytest.mark.parametrize(
    "line",
    [
        f"step\x1b[0m{TOKEN}", f"it\u200b{TOKEN}", f"10%\r20%it\r{TOKEN}\r30%", f"{TOKEN[:9]}\x1b[1m{TOKEN[9:]}",
        f"AKIA{'Q' * 16}\x1b[0mdone", f'password="{TOKEN}', f"api_key=['a', '{TOKEN}", f"eyJ{'hbGc' * 80}",
        f"\x9b1m{TOKEN}", f"\x1b]8;;http://x\x1b\\{TOKEN}\x1b]8;;\x1b\\", f"{'-' * (LINE_BYTES - 12)}{TOKEN}",
    ],
)  # fmt: skip
def test_a_secret_is_recognized_behind_and_within_what_is_not_shown(log: Path, line: str) -> None:
    log.write_text(f"{line}\nend\n")
    for shown in ("\n".join(tail(log)), Reader(log).read()):
        assert not any(secret in shown for secret in ("S3sam", "Thyse", "QQQQ", "hbGc"))
        assert shown.rstrip().endswith("\nend")
        assert all(one.isprintable() or one == "\n" for one in shown)


def test_a_private_key_is_hidden_wherever_in_it_reading_begins(log: Path) -> None:
    body = [f"{n:02d}" + "S3same" * 10 + "=" for n in range(40)]
    before, after = numbered(0, 300), "and on it goes\n"
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *body, "short=", "-----END PRIVATE KEY-----"])
    text = f"{before}{key}\n{after}"
    log.write_text(text)
    for position in range(len(before), len(before + key), 17):
        shown = Reader(log, position).read() + "\n".join(tail(log, max_bytes=len(text) - position))
        assert "S3same" not in shown
        assert "and on it goes" in shown
    for lines in range(1, 50):
        shown = "\n".join(tail(log, lines))
        assert "S3same" not in shown
        assert shown.endswith("and on it goes")


def test_a_key_without_an_end_hides_nothing_that_is_no_key(log: Path) -> None:
    log.write_text("no -----BEGIN PRIVATE KEY----- found in x.pem\nnext line of the log\n")
    assert tail(log)[1:] == ["next line of the log"]
