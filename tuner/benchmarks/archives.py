"""The one data file in what was downloaded, packed or not, read without ever unpacking to disk."""

import gzip
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, BinaryIO

from tuner.benchmarks.download import RefusedError

DATA_SUFFIXES = (".csv", ".jsonl", ".ndjson")
OTHER_SUFFIXES = (".json", ".tsv")
"""Of data where there is no file of the kinds above: beside one, they describe it."""
MAX_MEMBERS = 10_000
MAX_DIRECTORY_BYTES = 16 * 2**20
"""Of a zip file's table of contents, which is read whole."""
MAX_EXTENSION_BYTES = 64 * 2**10
EXTENSIONS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
)  # fmt: skip
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
ZIP_END = b"PK\x05\x06"
DAMAGE = (
    EOFError,
    IndexError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the standard library was seen to raise at damaged archives; some of it says little."""


@dataclass(frozen=True)
class Member:
    name: str
    odd: str | None = None
    """What it is, where it is neither a file nor a folder."""
    folder: bool = False


@contextmanager
def opened(file: BinaryIO, max_bytes: int) -> Iterator[BinaryIO]:
    """The data in a CSV or JSONL file, or in a gz, zip, tar or tar.gz that holds one such file.

    What it is told by is its content: names lie, and many URLs have none.

    Raises:
        RefusedError: unsafe, damaged, larger than `max_bytes` when unpacked, or without exactly one data file.
            Also later, while it is read.
    """
    with ExitStack() as stack:
        with _damage_refused():
            data = stack.enter_context(_opened(file, max_bytes))
        yield data


@contextmanager
def _damage_refused() -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise RefusedError(f"The archive is damaged: {error}") from error


@contextmanager
def _opened(file: BinaryIO, max_bytes: int) -> Iterator[BinaryIO]:
    magic = _head(file, 4)
    if magic in ZIP:
        with _zip_member(file) as data:
            yield _limited(data, max_bytes)
        return
    if not magic.startswith(GZIP) and not _is_tar(file):
        yield _limited(file, max_bytes)
        return

    def unpacked() -> BinaryIO:
        file.seek(0)
        return _limited(gzip.GzipFile(fileobj=file), max_bytes) if magic.startswith(GZIP) else _limited(file, max_bytes)

    if not _is_tar(unpacked()):
        yield unpacked()
        return
    _check_headers(unpacked())
    with tarfile.open(fileobj=unpacked(), mode="r|") as listing:
        name = _data_file(_tar_members(listing))
    with tarfile.open(fileobj=unpacked(), mode="r|") as archive:
        found = next(member for member in archive if member.name == name)
        entry = archive.extractfile(found)
        assert entry is not None
        yield _limited(entry, max_bytes)  # again: a sparse file is larger than what it takes in the archive


def _head(file: BinaryIO, size: int) -> bytes:
    file.seek(0)
    head = file.read(size)
    file.seek(0)
    return head


def _is_tar(stream: BinaryIO) -> bool:
    block = stream.read(512)
    if stream.seekable():
        stream.seek(0)
    return block[257:262] == b"ustar"


def _check_headers(stream: BinaryIO) -> None:
    """Before the standard library reads them whole: headers that only extend another one can be of any size."""
    while any(block := stream.read(tarfile.BLOCKSIZE)):
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if header.size < 0 or (header.type in EXTENSIONS and header.size > MAX_EXTENSION_BYTES):
            raise RefusedError("The archive is not safe: it has a header of a senseless size.")
        left = -(-header.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE if not header.isdir() else 0
        while left and (part := stream.read(min(left, 2**20))):
            left -= len(part)


def _tar_members(archive: tarfile.TarFile) -> Iterator[Member]:
    for entry in archive:
        link = "a link" if entry.issym() or entry.islnk() else "a device or a pipe"
        yield Member(entry.name, None if entry.isreg() or entry.isdir() else link, entry.isdir())


@contextmanager
def _zip_member(file: BinaryIO) -> Iterator[IO[bytes]]:
    _check_directory(file)
    with zipfile.ZipFile(file) as archive:
        name = _data_file(_zip_members(archive))
        entry = archive.getinfo(name)
        if entry.flag_bits & 1:
            raise RefusedError(f"{name} in the archive is encrypted; pack it without a password.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others take memory as they please
            raise RefusedError(f"{name} in the archive is not packed by deflate, the usual method of zip.")
        with archive.open(name) as data:
            yield data


def _check_directory(file: BinaryIO) -> None:
    """Before the standard library reads all of it: a table of contents can be large by itself."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 65_557))  # where the end record is at the latest, with the longest comment
    tail = file.read()
    file.seek(0)
    at = tail.rfind(ZIP_END)
    if at < 0 or len(tail) < at + 22:
        raise RefusedError("The archive is damaged: a zip file without an end.")
    members, directory_bytes = struct.unpack_from("<HI", tail, at + 10)
    if members > MAX_MEMBERS or directory_bytes > MAX_DIRECTORY_BYTES:
        raise RefusedError(f"The archive has more than {MAX_MEMBERS:,} members, or a huge table of contents.")


def _zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    for entry in archive.infolist():
        mode = stat.S_IFMT(entry.external_attr >> 16)
        odd = None if mode in (0, stat.S_IFREG, stat.S_IFDIR) else "a link" if mode == stat.S_IFLNK else "a device"
        yield Member(entry.filename, odd, entry.is_dir())


def _data_file(members: Iterable[Member]) -> str:
    """The name of the only data file. One bad member spoils the archive, wherever it stands."""
    found: dict[str, list[str]] = {}
    for number, member in enumerate(members, start=1):
        path = PurePosixPath(member.name.replace("\\", "/"))
        top = path.parts[0] if path.parts else ""
        if number > MAX_MEMBERS:
            raise RefusedError(f"The archive has more than {MAX_MEMBERS:,} members; pack only the data file.")
        if path.is_absolute() or ".." in path.parts or ":" in top:
            raise RefusedError(f"The archive is not safe: {member.name!r} leads out of it.")
        if member.odd:
            raise RefusedError(f"The archive is not safe: {member.name!r} is {member.odd}.")
        hidden = path.name.startswith(".") or top == "__MACOSX"
        if not member.folder and not hidden:
            found.setdefault(path.suffix.lower(), []).append(member.name)
    data, others = ([name for one in kinds for name in found.get(one, ())] for kinds in (DATA_SUFFIXES, OTHER_SUFFIXES))
    data = data or others
    if len(data) != 1:
        there = f"holds {len(data)} data files ({', '.join(data[:5])})" if data else "holds no data file"
        raise RefusedError(
            f"The archive {there}; pack exactly one, ending in {', '.join((*DATA_SUFFIXES, *OTHER_SUFFIXES))}."
        )
    return data[0]


class _Limit(io.RawIOBase):
    """A reader that fails beyond so many bytes, whatever an archive says of its sizes."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, max_bytes: int) -> None:
        self.stream, self.max_bytes, self.left = stream, max_bytes, max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with _damage_refused():
            part = self.stream.read(len(buffer))
        self.left -= len(part)
        if self.left < 0:
            raise RefusedError(f"The data is larger than {self.max_bytes:,} bytes unpacked; take a sample of it.")
        buffer[: len(part)] = part
        return len(part)


def _limited(stream: IO[bytes] | gzip.GzipFile, max_bytes: int) -> BinaryIO:
    return io.BufferedReader(_Limit(stream, max_bytes))
