import gzip
import io
import stat
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.benchmarks.archives import opened
from tuner.benchmarks.download import RefusedError

DATA = b"prompt\nhello\n"
MANY = b"prompt\n" + b"hello\n" * 10_000


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for member, content in members:
            archive.writestr(member, content)
    return out.getvalue()


def tarred(*members: tuple[str | tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for member, content in members:
            entry = tarfile.TarInfo(member) if isinstance(member, str) else member
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def odd(name: str, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, "/etc/passwd"
    return entry


def zip_link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def encrypted() -> bytes:
    content = bytearray(zipped(("data.csv", DATA)))
    content[6] |= 1  # the member's flags, here and in the table of contents
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def read(content: bytes, max_bytes: int = 100_000) -> bytes:
    with opened(io.BytesIO(content), max_bytes) as data:
        return data.read()


GOOD = {
    "plain": DATA,
    "gz": gzip.compress(DATA),
    "zip": zipped(("data.csv", DATA)),
    "zip with other files": zipped(("a/b/data.CSV", DATA), ("README.md", b"hi"), ("__MACOSX/a/._data.csv", b"\0")),
    "tar": tarred(("data.jsonl", DATA)),
    "tar of a folder": tarred((odd(".", tarfile.DIRTYPE), b""), ("./data.jsonl", DATA)),
    "tar.gz": gzip.compress(tarred(("data.jsonl", DATA))),
    "tar.gz with other files": gzip.compress(
        tarred(("set/README", b"hi"), ("set/data.csv", DATA), ("set/._data.csv", b""))
    ),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD.keys())
def test_the_one_data_file_is_read_from_every_packing(content: bytes) -> None:
    assert read(content) == DATA


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zipped(("../data.csv", DATA)), "leads out of it"),
        (zipped(("data.csv", DATA), ("/etc/passwd", b"")), "leads out of it"),
        (zipped(("data.csv", DATA), ("a/../../b", b"")), "leads out of it"),
        (zipped(("data.csv", DATA), ("..\\b", b"")), "leads out of it"),
        (zipped(("data.csv", DATA), ("C:/b", b"")), "leads out of it"),
        (zipped(("data.csv", DATA), (zip_link(), b"/etc/passwd")), "'link' is a link"),
        (zipped(("one.csv", DATA), ("two.jsonl", DATA)), r"2 data files \(one.csv, two.jsonl\)"),
        (zipped(("README.md", b"hi")), "no data file"),
        (zipped(), "no data file"),
        (encrypted(), "encrypted"),
        (zipped(("data.csv", DATA), method=zipfile.ZIP_LZMA), "not packed by deflate"),
        (zipped(("data.csv", DATA))[:-30], "damaged"),
        (zipped(*((f"{number}", b"") for number in range(10_001))), "more than 10,000 members"),
        (tarred(("../data.csv", DATA)), "leads out of it"),
        (tarred(("/data.csv", DATA)), "leads out of it"),
        (tarred(("data.csv", DATA), (odd("x", tarfile.SYMTYPE), b"")), "'x' is a link"),
        (tarred((odd("data.csv", tarfile.LNKTYPE), b"")), "'data.csv' is a link"),
        (tarred(("data.csv", DATA), (odd("x", tarfile.CHRTYPE), b"")), "'x' is a device"),
        (tarred(("data.csv", DATA), (odd("x", tarfile.FIFOTYPE), b"")), "'x' is a device or a pipe"),
        (tarred(("a.csv", DATA), ("b.csv", DATA)), "2 data files"),
        (tarred((odd("long", tarfile.XHDTYPE), b"0" * 70_000)), "header of a senseless size"),
        (gzip.compress(DATA, mtime=0)[:-9], "damaged"),
        (tarred(("data.csv", DATA))[:520], "damaged|no data file"),
    ],
)
def test_an_archive_that_is_unsafe_or_unclear_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        read(content, 10_000_000)


@pytest.mark.parametrize("content", [tarred(("../data.csv", DATA)), tarred((odd("data.csv", tarfile.SYMTYPE), b""))])
def test_compression_hides_nothing(content: bytes) -> None:
    with pytest.raises(RefusedError, match="not safe"):
        read(gzip.compress(content))


@pytest.mark.parametrize(
    "content",
    [
        MANY,
        gzip.compress(MANY, mtime=0),
        zipped(("data.csv", MANY)),
        tarred(("data.csv", MANY)),
        gzip.compress(tarred(("data.csv", MANY)), mtime=0),
    ],
    ids=["plain", "gz", "zip", "tar", "tar.gz"],
)
def test_nothing_unpacks_to_more_than_the_limit(content: bytes) -> None:
    with pytest.raises(RefusedError, match="larger than 1,000 bytes unpacked"):
        read(content, 1_000)


def test_a_size_that_a_zip_claims_is_not_believed() -> None:
    content = bytearray(zipped(("data.csv", MANY)))
    table = content.index(b"PK\x01\x02")
    content[22:26] = content[table + 24 : table + 28] = (5).to_bytes(4, "little")
    with pytest.raises(RefusedError, match=r"damaged|larger than"):
        read(bytes(content), 1_000)


def test_an_error_of_the_reader_is_not_taken_for_a_damaged_archive() -> None:
    with pytest.raises(OSError, match="no space"), opened(io.BytesIO(GOOD["zip"]), 100_000):
        raise OSError("no space")


@given(
    st.sampled_from(list(GOOD.values())),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=12),
    st.floats(0, 1),
)
def test_damage_of_any_kind_ends_in_data_or_in_a_refusal(
    content: bytes, flips: list[tuple[float, int]], cut: float
) -> None:
    damaged = bytearray(content)
    for place, value in flips:
        damaged[int(place * len(damaged))] = value
    try:
        data = read(bytes(damaged[: int(cut * len(damaged)) + 1]))
    except RefusedError:
        return
    assert len(data) <= 100_000
