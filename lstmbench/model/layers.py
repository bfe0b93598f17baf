"""A trained `PeepholeLSTM` as a model folder of bare layers: what `export --head layer` and the rest take."""

from pathlib import Path

import numpy as np
import torch

from lstmbench.arrays import Weights
from lstmbench.errors import CheckpointError
from lstmbench.model import folder
from lstmbench.model.peephole_lstm import PeepholeLSTM
from lstmbench.records import ModelConfig, ModelFolder


def save_layers(module: PeepholeLSTM, path: Path | str) -> None:
    """Write `config.json` and `weights.safetensors` of the module's layers, both directions too, into a new folder.

    Files take x batch-first, (B, T, E), whatever the module's `batch_first`. CheckpointError where the folder holds a
    model already, or a weight is not a finite float32; DiskError where it cannot be written.
    """
    path = Path(path)
    config = ModelConfig(
        head="layer",
        peephole=module.peephole,
        input_size=module.input_size,
        hidden_size=module.hidden_size,
        num_layers=module.num_layers,
        bidirectional=module.bidirectional,
        bias=module.bias,
    )
    folder.create(path, ModelFolder(model=config), _weights(module))


def _weights(module: PeepholeLSTM) -> Weights:
    weights = {}
    for name, parameter in module.named_parameters():
        if parameter.dtype != torch.float32:
            raise CheckpointError(f"{name} is {parameter.dtype}, a model folder holds float32: call .float() first")
        array = parameter.detach().cpu().numpy()
        if not np.isfinite(array).all():
            raise CheckpointError(f"{name} holds NaN or infinity: the module was not trained to an end")
        weights[f"lstm.{name}"] = np.ascontiguousarray(array)
    return weights
