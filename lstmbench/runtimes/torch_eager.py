"""PyTorch, eager, on the CPU: the module that was trained, with the checkpoint's weights."""

import torch
from torch import Tensor, nn

from lstmbench.arrays import Floats, State, Tokens, Weights
from lstmbench.model import sampling
from lstmbench.model.language_model import LanguageModel
from lstmbench.model.peephole_lstm import PeepholeLSTM
from lstmbench.records import ExportedModel, ModelConfig, Placement
from lstmbench.runtimes import unchanged


class TorchEager:
    """Run the language model, or its bare recurrent layers, without gradients."""

    version: str = str(torch.__version__)

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        torch.set_num_threads(threads)
        self._module = _module(exported.model, unchanged.weights(exported)).eval()

    @torch.inference_mode()
    def run(self, inputs: Tokens | Floats, state: State | None) -> tuple[Floats, State]:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); and the next state (D·L, B, H)."""
        before = None if state is None else (torch.from_numpy(state.h), torch.from_numpy(state.c))
        output, (h, c) = self._module(torch.from_numpy(inputs), before)
        return _array(output), State(_array(h), _array(c))

    def generate(
        self, prompt: Tokens, state: State | None, uniform: Floats, *, temperature: float, top_k: int
    ) -> tuple[Tokens, State]:
        """Prompt (B, T), uniform (B, N) -> tokens (B, N), a step a token; and the state before the last."""
        return sampling.decode(self.run, prompt, state, uniform, temperature=temperature, top_k=top_k)

    def placement(self) -> tuple[Placement, ...]:
        """Eager PyTorch has no graph to place."""
        return ()

    def close(self) -> None:
        """Forget the module."""
        del self._module


def _module(config: ModelConfig, weights: Weights) -> nn.Module:
    if config.head == "lm":
        model = LanguageModel(config)
        model.load_weights(weights)
        return model
    layers = PeepholeLSTM(
        config.input_size,
        config.hidden_size,
        config.num_layers,
        config.bias,
        batch_first=True,
        bidirectional=config.bidirectional,
        peephole=config.peephole,
    )
    layers.load_state_dict({name.removeprefix("lstm."): torch.from_numpy(array) for name, array in weights.items()})
    return layers


def _array(tensor: Tensor) -> Floats:
    array: Floats = tensor.numpy()
    return array
