"""Databases to test on: SQLite always, PostgreSQL where its programs are."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tuner.storage.store import Store


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """No test is named after bytes: archives hold the time, and two test processes must name tests alike."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server on a socket in a folder of its own; its URL without a database."""
    programs = [shutil.which(name) for name in ("initdb", "pg_ctl")]
    if None in programs:
        pytest.skip("PostgreSQL's programs (initdb, pg_ctl) are not on the PATH")
    initdb, pg_ctl = map(str, programs)
    # PostgreSQL refuses to run as root. Not under tmp_path: another user must reach the folder.
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="autotuner-pg-"))
    if user:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        subprocess.run(
            command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"}
        )

    # A zone far from UTC, so that a test fails where one is lost.
    settings = f"-c fsync=off -c timezone=Asia/Tokyo -c listen_addresses= -c unix_socket_directories={folder}"
    data = str(folder / "data")
    try:
        run(initdb, "--auth=trust", "--username=tuner", "--encoding=UTF8", "--no-sync", "-D", data)
        run(pg_ctl, "-w", "-D", data, "-l", str(folder / "log"), "-o", settings, "start")
        try:
            yield f"postgresql://tuner@/{{database}}?host={folder}"
        finally:
            run(pg_ctl, "-w", "-m", "immediate", "-D", data, "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """An empty database of its own."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield postgres.format(database=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'autotuner.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    async with Store(store_url) as store:
        yield store
