"""An export on an engine that runs any graph by name, and is asked at load what such engines are known to get wrong."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.records import ExportedModel, Placement
from lstmbench.runtimes import load_probes, unchanged
from lstmbench.runtimes.contract import GraphSession


class NamedExport:
    """A graph session that is called as a `Runtime` is; WorkerError where it drops the peepholes or freezes T."""

    def __init__(self, exported: ExportedModel, load: Callable[[bytes], GraphSession]) -> None:
        self._config, self._takes_lengths = exported.model, exported.record.lengths
        graph = unchanged.whole_file(exported)
        self._session = load(graph)
        load_probes.demand_lengths(exported, self._whole_rows)
        if changed := load_probes.without_peepholes(graph):
            self._demand_peepholes(exported, load(changed))

    def run(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> tuple[Floats, State]:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); and the next state (D·L, B, H)."""
        return self._call(self._session, inputs, state, lengths)

    def placement(self) -> tuple[Placement, ...]:
        """How many nodes of each kind the engine runs, in its own words; () where it tells none."""
        return self._session.placement()

    def close(self) -> None:
        """Release what the engine holds."""
        self._session.close()

    def _call(
        self, session: GraphSession, inputs: Tokens | Floats, state: State | None, lengths: Lengths | None
    ) -> tuple[Floats, State]:
        return self.answer(session.run(self.feeds(inputs, state, lengths)))

    def feeds(self, inputs: Tokens | Floats, state: State | None, lengths: Lengths | None) -> dict[str, NDArray[Any]]:
        """What the graph takes, by name."""
        shape = self._config.state_shape(len(inputs))
        h_0, c_0 = (np.zeros(shape, np.float32),) * 2 if state is None else state
        feeds: dict[str, Any] = {"input_ids" if self._config.head == "lm" else "x": inputs, "h_0": h_0, "c_0": c_0}
        return feeds if lengths is None else feeds | {"lengths": lengths}

    def answer(self, outputs: Mapping[str, NDArray[Any]]) -> tuple[Floats, State]:
        """What the graph gave, as `run` gives it."""
        output, h_n, c_n = (outputs[name] for name in self._config.output_names)
        return output, State(h_n, c_n)

    def _whole_rows(self, inputs: Tokens | Floats, state: State) -> tuple[Floats, State]:
        return self._call(self._session, inputs, state, self._ends(inputs))

    def _demand_peepholes(self, exported: ExportedModel, other: GraphSession) -> None:
        def without(inputs: Tokens | Floats, state: State) -> tuple[Floats, State]:
            return self._call(other, inputs, state, self._ends(inputs))

        load_probes.demand_peepholes(exported, self._whole_rows, without)
        other.close()

    def _ends(self, inputs: Tokens | Floats) -> Lengths | None:
        return np.full(len(inputs), inputs.shape[1], np.int32) if self._takes_lengths else None
