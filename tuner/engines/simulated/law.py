"""How fast the simulated engine is: batching, memory and speed as a formula, without a clock or a socket.

An engine works in steps. A step takes up to `max_num_batched_tokens` tokens, those of running sequences first; at most
`max_num_seqs` sequences run, the others wait in order of arrival. With d decoding sequences and p prompt tokens in the
step, S = max_num_seqs, t = tensor_parallel_size, and the factors of the attention backend, it lasts

    (FIXED + LINK·(t − 1) + (DECODE·backend·d + PADDING·S² + PREFILL·backend·p + CHUNK·p²) / t) × cpu × noise ÷ speed

- Few sequences pay FIXED for few tokens, and the rest queues; many pay PADDING, whether they run or not.
- A small budget of tokens spreads a prompt over many steps, each with its FIXED and PADDING; a large one pays CHUNK,
  and holds all decoding sequences up while it lasts. So throughput has one best point inside, not at an edge.
- A sequence whose prompt is done yields one token a step, the first in the step that completes the prompt.
- cpu = (CORES − 1) / (CORES − reserved_cpu): reserving fewer cores than the default 1 is faster, more is slower.
- Memory holds kv_cache_gib × t × TOKENS_PER_GIB tokens, less SLOT_TOKENS for every slot and one for every token of the
  budget. Where the running sequences outgrow it, the youngest is preempted and computed again later.
- With prefix caching, full blocks of BLOCK tokens that an earlier prompt began with cost nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from tuner.spec.values import Value

VERSION = "simulated-1"
"""Counts up when the law changes: speeds under different laws do not compare."""
FIXED = 0.02
"""Seconds, as all costs: what a step costs however little it does."""
LINK = 0.001
DECODE = 0.000_2
PADDING = 0.000_01
PREFILL = 0.000_01
CHUNK = 0.000_000_2
CORES = 4
TOKENS_PER_GIB = 16_384
SLOT_TOKENS = 8
BLOCK = 16
CHARACTERS_PER_TOKEN = 4
RESERVED_CPU = "SIMULATED_RESERVED_CPU"
"""Environment variable: cores kept free of the engine's work, 0 to 3."""


@dataclass(frozen=True)
class Backend:
    """How an attention backend multiplies the cost of prompts and of decoding."""

    prefill: float
    decode: float


BACKENDS = {"a": Backend(prefill=1.0, decode=1.0), "b": Backend(prefill=0.6, decode=1.2)}


@dataclass(frozen=True)
class Configuration:
    """The engine's flags that the law knows, with their defaults, and the world it runs in."""

    max_num_seqs: int = 64
    max_num_batched_tokens: int = 2048
    max_model_len: int = 4096
    kv_cache_gib: float = 1.0
    tensor_parallel_size: int = 1
    enable_prefix_caching: bool = False
    attention_backend: str = "a"
    reserved_cpu: int = 1
    sim_speed: float = 1.0
    """This many times as fast as the law says, so that tests are quick."""
    sim_noise: float = 0.0
    """Relative spread, drawn once for the engine's life and again for every step."""
    sim_seed: int | None = None
    """Repeats the noise; None draws a new one for every engine."""
    sim_oom_seqs: int | None = None
    """More `max_num_seqs` than this do not fit into this world's memory."""

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> "Configuration":
        """From flat parameter names, `Params.flat`; what the law does not know changes nothing.

        Raises:
            ValueError: no such number of reserved cores.
        """
        names = {field.name for field in fields(cls)}
        plain = {name.replace("-", "_"): value for name, value in values.items()}
        known = {name: value for name, value in plain.items() if name in names}
        if "tp" in values:
            known["tensor_parallel_size"] = values["tp"]
        if RESERVED_CPU in values:
            known["reserved_cpu"] = _cores(values[RESERVED_CPU])
        return cls(**known)  # type: ignore[arg-type]  # by name, as the flags are

    @property
    def capacity(self) -> int:
        """Tokens that fit into the KV cache."""
        total = int(self.kv_cache_gib * self.tensor_parallel_size * TOKENS_PER_GIB)
        return total - SLOT_TOKENS * self.max_num_seqs - self.max_num_batched_tokens

    def check(self) -> None:
        """Raises:
        ValueError: flags that contradict one another or are out of range.
        MemoryError: they do not fit into memory together.
        """
        for name in ("max_num_seqs", "max_num_batched_tokens", "max_model_len", "kv_cache_gib", "tensor_parallel_size"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        if self.sim_speed <= 0 or self.sim_noise < 0:
            raise ValueError(f"sim_speed {self.sim_speed} must be above 0 and sim_noise {self.sim_noise} not below it")
        if self.max_num_batched_tokens < self.max_num_seqs:
            raise ValueError(
                f"max_num_batched_tokens {self.max_num_batched_tokens} is less than max_num_seqs {self.max_num_seqs}; "
                "raise the one or lower the other"
            )
        if self.sim_oom_seqs is not None and self.max_num_seqs > self.sim_oom_seqs:
            raise MemoryError(f"max_num_seqs {self.max_num_seqs} does not fit; at most {self.sim_oom_seqs} do")
        if self.capacity < self.max_model_len:
            raise MemoryError(
                f"kv_cache_gib {self.kv_cache_gib} leaves room for {max(0, self.capacity)} tokens beside "
                f"max_num_seqs {self.max_num_seqs} and max_num_batched_tokens {self.max_num_batched_tokens}, "
                f"less than max_model_len {self.max_model_len}"
            )

    def step_s(self, decoding: int, prefill: int) -> float:
        """Seconds of a step, without noise."""
        backend, ranks = BACKENDS[self.attention_backend], self.tensor_parallel_size
        work = DECODE * backend.decode * decoding + PADDING * self.max_num_seqs**2
        work += PREFILL * backend.prefill * prefill + CHUNK * prefill**2
        cpu = (CORES - 1) / (CORES - self.reserved_cpu)
        return (FIXED + LINK * (ranks - 1) + work / ranks) * cpu / self.sim_speed


def _cores(value: Value) -> int:
    """An environment variable is a text, even where the task file has a number."""
    if not str(value).isdecimal() or int(value) >= CORES:
        raise ValueError(f"{RESERVED_CPU} must be 0 to {CORES - 1}, not {value!r}")
    return int(value)
