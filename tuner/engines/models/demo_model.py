"""A tiny Llama with random weights, made in a second without a network; it serves as fast as a trained one."""

import json
import shutil
import struct
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tuner.errors import ConflictError

VOCABULARY, HIDDEN, LAYERS, HEADS, KV_HEADS, INTERMEDIATE, POSITIONS = 8192, 512, 8, 8, 4, 1536, 4096
"""29.4 million parameters, 59 MB in bfloat16."""

SPECIAL = ("<s>", "</s>", "<pad>", "<|user|>", "<|assistant|>", "<|system|>")
BOS, EOS, PAD = SPECIAL[:3]
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
CORPUS_BYTES = 3_000_000


def make(folder: Path) -> Path:
    """Writes the model into `folder`; one that is already there stays as it is.

    Raises:
        ConflictError: the folder holds something else.
    """
    folder = folder.expanduser().absolute()
    if (folder / "model.safetensors").is_file() and (folder / "tokenizer.json").is_file():
        return folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConflictError(f"{folder} is not empty and holds no demo model; name a new folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Renamed when complete, so that a half-made model is never taken for one.
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _write(draft)
        draft.chmod(0o755)
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _write(folder: Path) -> None:
    tokenizer = train_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    ids = {token: tokenizer.token_to_id(token) for token in SPECIAL}
    texts = {
        "config.json": {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": VOCABULARY,
            "hidden_size": HIDDEN,
            "intermediate_size": INTERMEDIATE,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": KV_HEADS,
            "head_dim": HIDDEN // HEADS,
            "max_position_embeddings": POSITIONS,
            "hidden_act": "silu",
            "initializer_range": 0.02,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "attention_bias": False,
            "mlp_bias": False,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
            "use_cache": True,
            "bos_token_id": ids[BOS],
            "eos_token_id": ids[EOS],
            "pad_token_id": ids[PAD],
        },
        "generation_config.json": {"bos_token_id": ids[BOS], "eos_token_id": ids[EOS], "pad_token_id": ids[PAD]},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": BOS,
            "eos_token": EOS,
            "pad_token": PAD,
            "model_max_length": POSITIONS,
            "clean_up_tokenization_spaces": False,
            "chat_template": CHAT_TEMPLATE,
        },
    }
    for name, content in texts.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    _write_safetensors(folder / "model.safetensors", list(random_weights()))


def train_tokenizer() -> Tokenizer:
    """Byte-level BPE learned from Python's own standard library: the same interpreter gives the same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(), trainer)
    return tokenizer


def _corpus() -> Iterator[str]:
    left = CORPUS_BYTES
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        text = path.read_text(encoding="utf-8", errors="ignore")[:left]
        left -= len(text)
        yield text
        if left <= 0:
            return


def random_weights() -> Iterator[tuple[str, tuple[int, ...], bytes]]:
    """Name, shape and little-endian bfloat16 bytes of every tensor; the same on every machine."""
    random = np.random.default_rng(0)
    kv = HIDDEN // HEADS * KV_HEADS

    def tensor(name: str, *shape: int) -> tuple[str, tuple[int, ...], bytes]:
        values = random.standard_normal(shape, dtype=np.float32) * np.float32(0.02)
        return name, shape, _bfloat16(values)

    def norm(name: str) -> tuple[str, tuple[int, ...], bytes]:
        return name, (HIDDEN,), _bfloat16(np.ones(HIDDEN, dtype=np.float32))

    yield tensor("model.embed_tokens.weight", VOCABULARY, HIDDEN)
    for index in range(LAYERS):
        layer = f"model.layers.{index}"
        yield norm(f"{layer}.input_layernorm.weight")
        yield tensor(f"{layer}.self_attn.q_proj.weight", HIDDEN, HIDDEN)
        yield tensor(f"{layer}.self_attn.k_proj.weight", kv, HIDDEN)
        yield tensor(f"{layer}.self_attn.v_proj.weight", kv, HIDDEN)
        yield tensor(f"{layer}.self_attn.o_proj.weight", HIDDEN, HIDDEN)
        yield norm(f"{layer}.post_attention_layernorm.weight")
        yield tensor(f"{layer}.mlp.gate_proj.weight", INTERMEDIATE, HIDDEN)
        yield tensor(f"{layer}.mlp.up_proj.weight", INTERMEDIATE, HIDDEN)
        yield tensor(f"{layer}.mlp.down_proj.weight", HIDDEN, INTERMEDIATE)
    yield norm("model.norm.weight")


def _bfloat16(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    """The upper half of every float32, cut off: random weights need no rounding."""
    return (values.view(np.uint32) >> 16).astype("<u2").tobytes()


def _write_safetensors(path: Path, tensors: list[tuple[str, tuple[int, ...], bytes]]) -> None:
    """The file format itself: the header's length (8 bytes, little-endian), a header in JSON, then the data.

    By hand, because the library's serializer knows no numpy bfloat16 and takes raw memory addresses.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, shape, data in tensors:
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": (offset, offset + len(data))}
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(data for _, _, data in tensors)
