"""PyTorch with torch.compile, on the CPU: one step of a layer as one kernel, called once a step.

A loop over time inside what is compiled would be unrolled at every T that comes, and torch's own scan is for export.
The step is compiled for open sizes, B = 1 apart, and takes its weights: all layers of a cell share it.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lstmbench.arrays import Floats, State, Tokens, Weights
from lstmbench.records import ExportedModel, ModelConfig, Placement
from lstmbench.runtimes import compiler, load_probes, unchanged
from lstmbench.runtimes.held_call import HeldCall

Hidden: TypeAlias = tuple[Tensor, Tensor]
Step: TypeAlias = Callable[..., Hidden]


class TorchCompiled:
    """Run the language model, or its bare recurrent layers; WorkerError where what was compiled drops the peepholes."""

    version: str = str(torch.__version__)

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        self.ready()
        os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # else it starts a pool of processes
        torch.set_num_threads(threads)
        weights = unchanged.weights(exported)
        step = torch.compile(_step, dynamic=True)
        self._model = _Model(exported.model, weights, step)
        load_probes.demand_lengths(exported, self.run)
        peepholes = {name: np.zeros_like(array) for name, array in weights.items() if "weight_ch" in name}
        if any(weights[name].any() for name in peepholes):
            without = _Model(exported.model, weights | peepholes, step)
            load_probes.demand_peepholes(exported, self.run, without.run)

    @classmethod
    def ready(cls) -> str:
        """Nothing to add to its name; RuntimeMissingError where there is no C++ compiler."""
        compiler.cxx()
        return ""

    def run(self, inputs: Tokens | Floats, state: State | None) -> tuple[Floats, State]:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); and the next state (D·L, B, H)."""
        return self._model.run(inputs, state)

    def hold(self, inputs: Tokens | Floats, state: State | None) -> HeldCall[tuple[Tensor, Hidden]]:
        """The same call, its arrays tensors already."""
        return self._model.hold(inputs, state)

    def placement(self) -> tuple[Placement, ...]:
        """It has no providers."""
        return ()

    def close(self) -> None:
        """Forget the model."""
        del self._model


class _Model:
    """The weights as the step takes them."""

    def __init__(self, config: ModelConfig, weights: Weights, step: Step) -> None:
        self._config, self._step = config, step
        self._weights = {name: torch.from_numpy(array) for name, array in weights.items()}
        suffixes = ("", "_reverse") if config.bidirectional else ("",)
        self._names = [[f"l{k}{suffix}" for suffix in suffixes] for k in range(config.num_layers)]
        self._recurrent = {name: self._of(name) for names in self._names for name in names}

    def run(self, inputs: Tokens | Floats, state: State | None) -> tuple[Floats, State]:
        """As `TorchCompiled.run`."""
        held = self.hold(inputs, state)
        held.compute()
        return held.answer()

    def hold(self, inputs: Tokens | Floats, state: State | None) -> HeldCall[tuple[Tensor, Hidden]]:
        """As `TorchCompiled.hold`."""
        zeros = torch.zeros(self._config.state_shape(len(inputs)))
        before = (zeros, zeros) if state is None else (torch.from_numpy(state.h), torch.from_numpy(state.c))
        return HeldCall(partial(self._call, torch.from_numpy(inputs), before), told=_on_host)

    @torch.inference_mode()
    def _call(self, given: Tensor, before: Hidden) -> tuple[Tensor, Hidden]:
        x = given if self._config.head == "layer" else functional.embedding(given, self._weights["embedding.weight"])
        h_0, c_0 = before
        x, ends = x.transpose(0, 1), list[Hidden]()  # (T, B, E)
        for names in self._names:
            outputs = []
            for name in names:
                y, end = self._direction(name, x, (h_0[len(ends)], c_0[len(ends)]))
                outputs.append(y)
                ends.append(end)
            x = torch.cat(outputs, -1)
        h_n, c_n = (torch.stack(parts) for parts in zip(*ends, strict=True))
        return self._output(x.transpose(0, 1)).contiguous(), (h_n, c_n)

    def _direction(self, name: str, x: Tensor, state: Hidden) -> tuple[Tensor, Hidden]:
        """X (T, B, E) -> y (T, B, H), and the state after the last step that it runs."""
        z = functional.linear(x, self._weights[f"lstm.weight_ih_{name}"], self._bias(name))
        order = range(len(z))[::-1] if name.endswith("_reverse") else range(len(z))
        y = z.new_empty(*z.shape[:2], self._config.hidden_size)
        for t in order:
            state = self._step(z[t], *state, *self._recurrent[name])
            y[t] = state[0]
        return y, state

    def _output(self, y: Tensor) -> Tensor:
        if self._config.head == "layer":
            return y
        tied = "embedding.weight" if self._config.tie_weights else "decoder.weight"
        return functional.linear(y, self._weights[tied], self._weights["decoder.bias"])

    def _bias(self, name: str) -> Tensor | None:
        if not self._config.bias:
            return None
        return self._weights[f"lstm.bias_ih_{name}"] + self._weights[f"lstm.bias_hh_{name}"]

    def _of(self, name: str) -> tuple[Tensor, ...]:
        """R (K, 4H), K = 2H for `full`; and for `diagonal` p_i, p_f, p_o as (3, H)."""
        U, P = self._weights[f"lstm.weight_hh_{name}"], self._weights.get(f"lstm.weight_ch_{name}")
        if P is None:
            return (U.t().contiguous(),)
        if self._config.peephole == "full":
            return (torch.cat([U, P], 1).t().contiguous(),)
        return U.t().contiguous(), P.view(3, -1)


def _on_host(answer: tuple[Tensor, Hidden]) -> tuple[Floats, State]:
    output, (h_n, c_n) = answer
    return output.numpy(), State(h_n.numpy(), c_n.numpy())


def _step(z: Tensor, h: Tensor, c: Tensor, R: Tensor, p: Tensor | None = None) -> Hidden:
    """What the input gives (B, 4H), h and c (B, H) -> h', c'; equations as in `lstmbench.model.reference`."""
    read = h if R.shape[0] == h.shape[1] else torch.cat([h, c], 1)
    i, f, g, o = (z + read @ R).chunk(4, 1)
    if p is not None:
        i, f = i + p[0] * c, f + p[1] * c
    c_next = f.sigmoid() * c + i.sigmoid() * g.tanh()
    if p is not None:
        o = o + p[2] * c_next
    return o.sigmoid() * c_next.tanh(), c_next
