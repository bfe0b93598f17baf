"""lstmbench: train peephole LSTM language models, export them to ONNX, prove the export, measure it.

    corpus -> model -> export -> check -> bench -> report

Each arrow is a verb with a package of its own (`train`, `export`, `check`, `bench`, `report`, `generate`,
`inspect`, `probe`); no verb imports another. Below them stand the nouns: `worker`, `environments`, `runtimes`,
`parity`, `mistakes`, `evaluator`, `model`, `corpus`, `records`; above them `flows`, which chains verbs, and `cli`,
which alone prints, parses and exits.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["PeepholeLSTM", "__version__", "save_layers"]

if TYPE_CHECKING:
    from lstmbench.model.layers import save_layers
    from lstmbench.model.peephole_lstm import PeepholeLSTM

# torch takes over a second to import: only what is asked for is loaded
_LAZY = {"PeepholeLSTM": "lstmbench.model.peephole_lstm", "save_layers": "lstmbench.model.layers"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'lstmbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
