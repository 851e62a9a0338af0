"""What can be launched, by the name that task files use."""

from tuner.engines.sglang import SGLang
from tuner.engines.simulated.engine import Simulated
from tuner.engines.tensorrt_llm import TensorRTLLM
from tuner.engines.vllm import VLLM
from tuner.protocols import Engine

ENGINES: dict[str, Engine] = {
    "vllm": VLLM(),
    "sglang": SGLang(),
    "tensorrt-llm": TensorRTLLM(),
    "simulated": Simulated(),
}
