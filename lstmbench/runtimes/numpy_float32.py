"""The NumPy reference in float32, from the checkpoint's weights: how much error the number format alone makes."""

from functools import partial

import numpy as np

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.model import reference, sampling
from lstmbench.records import ExportedModel, Placement
from lstmbench.runtimes import unchanged
from lstmbench.runtimes.held_call import HeldCall


class NumpyFloat32:
    """Run the equations, step by step, in float32."""

    version: str = np.__version__

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        del threads  # the BLAS under NumPy reads them from the environment, which the worker sets
        self._config, self._weights = exported.model, unchanged.weights(exported)

    def run(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> tuple[Floats, State]:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); and the next state (D·L, B, H)."""
        output, (h, c) = reference.run(self._config, self._weights, inputs, state, lengths=lengths, dtype=np.float32)
        return output, State(h, c)

    def hold(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> HeldCall[tuple[Floats, State]]:
        """The same call; there is nothing to copy."""
        return HeldCall(partial(self.run, inputs, state, lengths=lengths), told=lambda answer: answer)

    def generate(
        self, prompt: Tokens, state: State | None, uniform: Floats, *, temperature: float, top_k: int
    ) -> tuple[Tokens, State]:
        """Prompt (B, T), uniform (B, N) -> tokens (B, N), a step a token; and the state before the last."""
        return sampling.decode(self.run, prompt, state, uniform, temperature=temperature, top_k=top_k)

    def placement(self) -> tuple[Placement, ...]:
        """NumPy has no graph to place."""
        return ()

    def close(self) -> None:
        """Forget the weights."""
        self._weights = {}
