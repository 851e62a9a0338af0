"""The simulated engine's program: an OpenAI-compatible server that answers at the speed of `law.py`.

`python -m tuner.engines.simulated.server --port 8000 --max-num-seqs 32`. No model runs in it, and its answers are one
word again and again; what is real is how requests wait for one another.
"""

import argparse
import logging
import os
import socket
import sys
import time
from dataclasses import fields

import uvicorn

from tuner.engines.simulated.api import Faults, Server, die
from tuner.engines.simulated.law import BACKENDS, RESERVED_CPU, VERSION, Configuration

log = logging.getLogger("simulated")

FLOOD_LINE = "simulated: one of very many lines of log ".ljust(99, ".") + "\n"
"""100 bytes."""


def main() -> None:
    arguments = parser().parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    log.info("simulated: no model runs here, speeds follow a formula (%s)", VERSION)
    faults = Faults(**{field.name: getattr(arguments, field.name) for field in fields(Faults)})
    for _ in range(int(faults.sim_log_flood * 10_000)):
        sys.stderr.write(FLOOD_LINE)
    configuration = _configuration(arguments)
    time.sleep(faults.sim_start_time)
    while faults.sim_hang:
        time.sleep(3600)
    try:
        listener = socket.create_server((arguments.host, arguments.port), backlog=2048)
    except OSError as error:
        die(f"simulated: cannot listen on {arguments.host}:{arguments.port}: {error.strerror}; choose another --port")
    log.info("simulated: listening on http://%s:%d with %s", *listener.getsockname(), configuration)
    app = Server(arguments.model, configuration, faults).app()
    config = uvicorn.Config(app, http="h11", ws="none", access_log=False, log_level="warning", log_config=None)
    uvicorn.Server(config).run(sockets=[listener])


def parser() -> argparse.ArgumentParser:
    """Every flag, named like the field that it sets; the field holds the default."""
    flags = argparse.ArgumentParser(
        prog="simulated",
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = flags.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=8000, help="0 takes a free one; the log says which")
    add("--model", default="simulated", help="the name that requests ask for")
    add("--max-num-seqs", type=int, help="sequences that run at once")
    add("--max-num-batched-tokens", type=int, help="tokens in a step")
    add("--max-model-len", type=int, help="tokens of a prompt and its answer")
    add("--kv-cache-gib", type=float, help="memory for keys and values")
    add("--tensor-parallel-size", type=int, help="ranks that share the work")
    add("--enable-prefix-caching", action=argparse.BooleanOptionalAction, help="compute common beginnings once")
    add("--attention-backend", choices=tuple(BACKENDS), help="a decodes faster, b reads prompts faster")
    add("--sim-speed", type=float, help="how many times as fast as the law")
    add("--sim-noise", type=float, help="relative spread of the speed")
    add("--sim-seed", type=int, help="repeats the noise")
    add("--sim-start-time", type=float, help="seconds until it listens")
    add("--sim-hang", action="store_true", help="never become ready")
    add("--sim-log-flood", type=float, metavar="MB", help="write this much log at the start")
    add("--sim-oom-seqs", type=int, metavar="N", help="out of memory at the start above this --max-num-seqs")
    add("--sim-oom-concurrency", type=int, metavar="N", help="out of memory at more than N requests at once")
    add("--sim-crash-after", type=int, metavar="N", help="die at the request after N")
    add("--sim-refuse", action="store_true", help="answer every request with status 500")
    add("--sim-garbage", action="store_true", help="answer every request with something that is not JSON")
    add("--sim-empty", action="store_true", help="answer every request with no token at all")
    add("--sim-answer-tokens", type=int, metavar="N", help="answer with at most N tokens, whatever was asked for")
    settable = [*fields(Configuration), *fields(Faults)]
    flags.set_defaults(**{field.name: field.default for field in settable if field.name != "reserved_cpu"})
    return flags


def _configuration(arguments: argparse.Namespace) -> Configuration:
    values = {name: value for name, value in vars(arguments).items() if value is not None}
    if RESERVED_CPU in os.environ:
        values[RESERVED_CPU] = os.environ[RESERVED_CPU]
    try:
        configuration = Configuration.of(values)
        configuration.check()
    except ValueError as error:
        die(f"simulated: invalid configuration: {error}")
    except MemoryError as error:
        die(f"simulated: out of memory: {error}")
    return configuration


if __name__ == "__main__":
    main()
