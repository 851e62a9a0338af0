"""The process that downloads: Hugging Face's library cannot be stopped in the middle, a process can.

The first line of standard input is the job, as JSON; the token comes in it, so that no list of processes shows it. The
input then stays open, and its end is the end of this process: it never outlives the one that started it. Each line of
standard output is JSON: `{"done": bytes}` as it goes on, and at last `{"finished": true}` or `{"failed": {…}}`.

Run it by its path with `python -I`: the modules beside this file are named like some of the standard library.
"""

import json
import os
import re
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from typing import Any, Self

EVERY_S = 0.2
"""How often progress is told at most."""
AT_ONCE = 4
"""Files."""

Job = dict[str, Any]
"""endpoint, token (or None), repo, revision (a commit), folder, files: [[name, bytes], …]"""


class ByteCounter:
    """Bytes of all files together: those of finished ones by their size, those of others as they come."""

    def __init__(self) -> None:
        self._lock, self._done, self._told_at = threading.Lock(), 0, 0.0

    def add(self, count: int) -> None:
        with self._lock:
            self._done += count
            if (now := time.monotonic()) - self._told_at >= EVERY_S:
                self._told_at = now
                tell(done=self._done)

    def close(self) -> None:
        tell(done=self._done)


def tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def bar(progress: ByteCounter, counted: list[int]) -> type:
    """What the library takes for a progress bar of one file; `counted[0]` is what it has added so far."""

    class Bar:
        def __init__(self, *_: object, initial: int = 0, **__: object) -> None:
            self.total: int | None = None
            self.n = 0
            self.format_dict: dict[str, object] = {}
            self.update(initial)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return

        def update(self, n: float | None = 1) -> None:
            counted[0] += int(n or 0)
            progress.add(int(n or 0))

        def update_transfer(self, n: float | None = 1) -> None:
            """Bytes off the network; those that reach the disk are counted."""

        def close(self) -> None:
            return

        def refresh(self) -> None:
            return

        def set_description(self, *_: object, **__: object) -> None:
            return

        set_description_str = set_postfix_str = set_transfer_postfix_str = set_description

    return Bar


def download(job: Job) -> None:
    from huggingface_hub import hf_hub_download

    progress = ByteCounter()

    def fetch(name: str, size: int) -> None:
        counted = [0]
        hf_hub_download(
            job["repo"],
            name,
            revision=job["revision"],
            endpoint=job["endpoint"],
            token=job["token"] or False,
            local_dir=job["folder"],
            tqdm_class=bar(progress, counted),
        )
        progress.add(size - counted[0])  # a finished file of an earlier time was not downloaded again

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for future in as_completed([threads.submit(fetch, name, size) for name, size in job["files"]]):
            if error := future.exception():
                # The other threads may still wait for minutes: they end with this process.
                tell(failed=describe(error))
                os._exit(1)
    progress.close()


def describe(error: BaseException) -> dict[str, Any]:
    """An error of the library as plain data: kinds (its classes, the nearest first), status, when to retry, text."""
    told = error
    # "An error happened while trying to locate the file" hides the reason, which is its cause.
    while type(told).__name__ == "LocalEntryNotFoundError" and told.__cause__ is not None:
        told = told.__cause__
    response = getattr(told, "response", None)
    return {
        "kinds": [kind.__name__ for kind in type(told).__mro__],
        "status": getattr(response, "status_code", None),
        "retry_s": _retry_s(getattr(response, "headers", {})),
        "errno": getattr(told, "errno", None),
        "text": _text(told),
    }


def _text(error: BaseException) -> str:
    """What the server said, without the library's frame around it."""
    response = getattr(error, "response", None)
    if response is not None:
        said = getattr(error, "server_message", None) or response.reason_phrase or "no reason given"
    else:
        said = str(error) or type(error).__name__
    return " ".join(str(said).split())[:1000]


def _retry_s(headers: Mapping[str, str]) -> int | None:
    with suppress(ValueError):
        return int(headers.get("Retry-After", ""))
    rest = re.search(r";\s*t=(\d+)", headers.get("RateLimit", ""))
    return int(rest[1]) if rest else None


def _end_with_the_input() -> None:
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    download(job)
    tell(finished=True)


if __name__ == "__main__":
    main()
