"""What an engine's flags are, read from its own help, and whether a task uses them rightly."""

import asyncio
import difflib
import hashlib
import logging
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tuner.engines import argv
from tuner.launch import Target
from tuner.machine import processes
from tuner.protocols import Engine, Flag
from tuner.spec.values import Value, flag_name

log = logging.getLogger(__name__)

Schema = Mapping[str, Flag]
"""By every name a flag has, aliases included."""

TIMEOUT_S = 120.0
QUIET = {
    "CUDA_VISIBLE_DEVICES": "",
    "COLUMNS": "200",
    "NO_COLOR": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
}
"""Asking for help takes no GPU, no network, and no colours."""

_STORED = TypeAdapter(dict[str, Flag])

# argparse and click put options at two spaces, and what they do much further right.
_OPTION = re.compile(r"^  (?=-{1,2}[A-Za-z])")
_NAME = re.compile(r"^--?[A-Za-z][\w.-]*")
_CHOICES = re.compile(r"^\{([^{}]*)\}(?: \[.*\.\.\.\])?$|^\[([^\[\]\s]*\|[^\[\]]*)\]$")
_DEFAULT = re.compile(r"[(\[]default: (.*?)[)\]]\s*$", re.DOTALL)


async def load(engine: Engine, target: Target, cache: Path) -> dict[str, Flag] | None:
    """The flags of an engine's target that runs here; read once (seconds) for each version, then kept in `cache`.

    None, with a warning in the log, where the engine cannot even print its help: its flags go unchecked.
    """
    command = (*target.command(engine.program(target)), *engine.help)
    if not engine.recipes:
        return parse(
            await _help(command, engine.reserved_env)
        )  # built in: quick to ask, and it changes with our own code
    # The command is part of the name: another interpreter may stand under the same name and version.
    mark = hashlib.sha256("\0".join(command).encode()).hexdigest()[:8]
    path = cache / f"{target.name}-{re.sub(r'[^A-Za-z0-9.+]', '_', target.version)}-{mark}.json"
    with suppress(FileNotFoundError):
        try:
            return _STORED.validate_json(path.read_bytes())
        except ValidationError:
            log.warning("%s is damaged; the flags of %s are read again.", path, target.name)
    flags = parse(await _help(command, engine.reserved_env))
    if not flags:
        log.warning("The flags of %s cannot be checked: %s printed no help.", target.name, " ".join(command))
        return None
    await asyncio.to_thread(_store, path, flags)
    return flags


def parse(text: str) -> dict[str, Flag]:
    """Every flag in the help of an argparse or click program, under each of its names."""
    flags: dict[str, Flag] = {}
    for head, description in _entries(text):
        flag, names = _flag(head, description)
        flags |= dict.fromkeys(names, flag)
    return flags


def check(schema: Schema | None, name: str, values: Sequence[Value], *, reserved: Mapping[str, str]) -> list[str]:
    """What is wrong with a flag of a task, before anything starts.

    Args:
        schema: None checks only what needs no help: whether the flag is reserved.
        values: every value that is listed for it, or the bounds of its range.
        reserved: flags that a task may not set, and why (`Engine.reserved`).
    """
    base, _, part = name.partition(".")
    flag = schema.get(base) if schema is not None else None
    if why := reserved.get(base) or reserved.get(flag.name if flag else base):
        return [f"{name} cannot be set: {why}"]
    if schema is None:
        return []
    if flag is None:
        return [_unknown(base, schema)]
    # What a part of a JSON flag may be is not in the help.
    return [] if part else list(dict.fromkeys(_wrong_values(name, flag, values)))


def _unknown(name: str, schema: Schema) -> str:
    negated = next((flag for flag in schema.values() if flag.negation and flag_name(flag.negation) == name), None)
    if negated:
        return f"write {negated.name}: false instead of {name}"
    full = sorted({flag.name for other, flag in schema.items() if other.startswith(name)})
    if len(full) == 1:
        return f"{name} is short for {full[0]}; write the full name"
    near = difflib.get_close_matches(name, schema, n=3, cutoff=0.6) or full[:3]
    hint = f"; did you mean {', '.join(dict.fromkeys(near))}?" if near else ""
    return f"the engine has no flag {name}{hint}"


def _wrong_values(name: str, flag: Flag, values: Sequence[Value]) -> Iterator[str]:
    for value in values:
        try:
            parts = argv.split(value) if isinstance(value, str) and flag.many else [str(value)]
        except ValueError as error:
            yield f"{name} cannot be {value!r}: its words are split as a shell does, and there is {str(error).lower()}"
            continue
        if not flag.takes_value:
            if not isinstance(value, bool):
                yield f"{name} is a switch; write true or false, not {value!r}"
        elif isinstance(value, bool):
            if str(value).lower() not in {choice.lower() for choice in flag.choices}:
                yield f"{name} needs a value, not {str(value).lower()}{_listed(flag)}"
        elif flag.choices:
            for part in parts:
                if part not in flag.choices:
                    near = difflib.get_close_matches(part, flag.choices, n=1, cutoff=0.6)
                    hint = f" (did you mean {near[0]}?)" if near else ""
                    yield f"{name} cannot be {part!r}{hint}{_listed(flag)}"


def _listed(flag: Flag) -> str:
    return f"; it takes {', '.join(flag.choices)}" if flag.choices else ""


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Each option's head (`--x X, -x X`) and what is said about it."""
    head, said = "", list[str]()
    for line in text.splitlines():
        if _OPTION.match(line):
            if head:
                yield head, "\n".join(said)
            head, _, first = line.strip().partition("  ")
            said = [first.strip()]
        elif line.strip() and not line.startswith("     "):
            # The title of the next group ends what belongs to an option.
            if head:
                yield head, "\n".join(said)
            head = ""
        else:
            said.append(line.strip())
    if head:
        yield head, "\n".join(said)


def _flag(head: str, description: str) -> tuple[Flag, list[str]]:
    spellings, metavar = [], ""
    for part in re.split(r"(?:, | / |/)(?=-)", head):
        if name := _NAME.match(part):
            spellings.append(name[0])
            metavar = part[name.end() :].strip(" =") or metavar
    negation = next((s for s in spellings if s.startswith("--no-") and f"--{s[5:]}" in spellings), None)
    positive = [spelling for spelling in spellings if spelling != negation]
    spelling = next((s for s in positive if s.startswith("--")), positive[0])
    choices = _CHOICES.match(metavar)
    default = _DEFAULT.search(description)
    flag = Flag(
        name=flag_name(spelling),
        spelling=spelling,
        choices=tuple(re.split(r"[,|]", choices[1] or choices[2])) if choices else (),
        negation=negation,
        takes_value=bool(metavar),
        many=metavar.endswith(("...", "...]")),
        default=" ".join(default[1].split())[:200] if default else None,
        help=_sentence(_DEFAULT.sub("", description)),
    )
    return flag, [flag_name(s) for s in positive]


def _sentence(text: str) -> str:
    words = " ".join(text.split())
    return re.split(r"(?<=[.!?]) (?=[A-Z`\"(])|:? [-*] ", words, maxsplit=1)[0][:300]


async def _help(command: Sequence[str], unset: Collection[str]) -> str:
    """What the program prints for this, on stdout; empty when it fails or takes too long."""
    inherited = {name: value for name, value in processes.inherited().items() if name not in unset}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**inherited, **QUIET},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        log.warning("%s cannot be started: %s", command[0], error)
        return ""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            printed, _ = await process.communicate()
    except TimeoutError:
        log.warning("%s printed nothing for %s s.", " ".join(command), TIMEOUT_S)
        return ""
    finally:
        await processes.stop(process)
    return printed.decode("utf-8", "replace") if process.returncode == 0 else ""


def _store(path: Path, flags: dict[str, Flag]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as draft:
        draft.write(_STORED.dump_json(flags))
    Path(draft.name).replace(path)
