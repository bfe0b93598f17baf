"""PyTorch, eager, on the CPU: the module that was trained, with the checkpoint's weights."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lstmbench.arrays import Floats, Lengths, State, Tokens, Weights
from lstmbench.model import sampling
from lstmbench.model.language_model import LanguageModel
from lstmbench.model.peephole_lstm import Hidden, PeepholeLSTM
from lstmbench.records import ExportedModel, ModelConfig, Placement
from lstmbench.runtimes import unchanged


class _Held:
    """A call of the module on tensors."""

    def __init__(self, call: Callable[[], tuple[Tensor, Hidden]]) -> None:
        self._call = call

    @torch.inference_mode()
    def compute(self) -> None:
        """Call it; on the CPU it has finished when it returns."""
        self._answer = self._call()

    def answer(self) -> tuple[Floats, State]:
        """Of the last call."""
        output, (h, c) = self._answer
        return _array(output), State(_array(h), _array(c))


class TorchEager:
    """Run the language model, or its bare recurrent layers, without gradients."""

    version: str = str(torch.__version__)

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        torch.set_num_threads(threads)
        self._module = _module(exported.model, unchanged.weights(exported)).eval()

    def run(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> tuple[Floats, State]:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); and the next state (D·L, B, H)."""
        held = self.hold(inputs, state, lengths=lengths)
        held.compute()
        return held.answer()

    def hold(self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None) -> _Held:
        """The same call, its arrays tensors already."""
        before = None if state is None else (torch.from_numpy(state.h), torch.from_numpy(state.c))
        given = torch.from_numpy(inputs)
        if lengths is None:
            return _Held(partial(self._module, given, before))
        return _Held(partial(_unequal, self._module, given, before, torch.from_numpy(lengths)))

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


def _unequal(module: nn.Module, inputs: Tensor, state: Hidden | None, lengths: Tensor) -> tuple[Tensor, Hidden]:
    """Rows that end at `lengths` (B,), packed for the layers, which then run no step beyond an end."""
    model = module if isinstance(module, LanguageModel) else None
    layers, x = (module, inputs) if model is None else (model.lstm, model.embedding(inputs))
    packed = pack_padded_sequence(x, lengths.long(), batch_first=True, enforce_sorted=False)
    y, after = layers(packed, state)
    padded, _ = pad_packed_sequence(y, batch_first=True, total_length=inputs.shape[1])
    alive = torch.arange(inputs.shape[1]) < lengths[:, None]
    return padded if model is None else model.read_out(padded, alive), after


def _array(tensor: Tensor) -> Floats:
    array: Floats = tensor.numpy()
    return array
