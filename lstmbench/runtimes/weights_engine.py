"""An engine with cells of its own, which takes the checkpoint's weights: called as a `Runtime`, and asked at load."""

from typing import Protocol

import numpy as np

from lstmbench.arrays import Floats, Lengths, State, Tokens, Weights
from lstmbench.model import sampling
from lstmbench.records import ExportedModel, Placement
from lstmbench.runtimes import load_probes, unchanged
from lstmbench.runtimes.contract import Held
from lstmbench.runtimes.recurrent_weights import without_peepholes

_DROPPED = "its cell drops the peepholes: its answer is that of P = 0"


class Computes(Protocol):
    """One model in an engine, with weights that it was given."""

    def __call__(self, inputs: Tokens | Floats, state: State, lengths: Lengths | None) -> tuple[Floats, State]:
        """Output and next state, as `Runtime.run` has them."""
        ...

    def hold(self, inputs: Tokens | Floats, state: State, lengths: Lengths | None) -> Held:
        """One call, as `Holds.hold` has it."""
        ...


class Engine(Protocol):
    """What makes a model of one configuration."""

    def __call__(self, weights: Weights) -> Computes:
        """The model with these weights, by the checkpoint's names."""
        ...


class WeightsEngine:
    """Run what the engine makes of the checkpoint; WorkerError where it drops the peepholes or freezes T."""

    def __init__(self, exported: ExportedModel, engine: Engine) -> None:
        self._config = exported.model
        weights = unchanged.weights(exported)
        self._computes = engine(weights)
        load_probes.demand_lengths(exported, self.run)
        if changed := without_peepholes(weights):
            other = engine(changed)
            load_probes.demand_peepholes(
                exported, self.run, lambda inputs, state: other(inputs, state, None), says=_DROPPED
            )

    def run(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> tuple[Floats, State]:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); and the next state (D·L, B, H)."""
        return self._computes(inputs, self._before(inputs, state), lengths)

    def hold(self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None) -> Held:
        """The same call, its arrays the engine's already."""
        return self._computes.hold(inputs, self._before(inputs, state), lengths)

    def generate(
        self, prompt: Tokens, state: State | None, uniform: Floats, *, temperature: float, top_k: int
    ) -> tuple[Tokens, State]:
        """Prompt (B, T), uniform (B, N) -> tokens (B, N), a step a token; and the state before the last."""
        return sampling.decode(self.run, prompt, state, uniform, temperature=temperature, top_k=top_k)

    def placement(self) -> tuple[Placement, ...]:
        """It runs no ONNX node."""
        return ()

    def close(self) -> None:
        """Forget the model."""
        del self._computes

    def _before(self, inputs: Tokens | Floats, state: State | None) -> State:
        shape = self._config.state_shape(len(inputs))
        return State(np.zeros(shape, np.float32), np.zeros(shape, np.float32)) if state is None else state
