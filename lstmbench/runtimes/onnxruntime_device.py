"""ONNX Runtime on a device with a memory of its own, whichever it is: the same calls, and a state that stays there."""

from typing import Any

import onnxruntime as ort

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.errors import RuntimeMissingError, WorkerError
from lstmbench.records import MOVES, ExportedModel
from lstmbench.runtimes import assignment
from lstmbench.runtimes.onnxruntime_carried import CarriedByOnnxRuntime, Memory, uncaptured
from lstmbench.runtimes.onnxruntime_export import OnnxRuntimeExport


class Carried:
    """What `carry` gives: one chain of calls."""

    def __init__(self, runtime: "OnnxRuntimeDevice", chain: CarriedByOnnxRuntime) -> None:
        self._runtime, self._chain = runtime, chain

    def run(self, inputs: Tokens | Floats, *, lengths: Lengths | None = None) -> Floats:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); the state goes on where it is."""
        feeds: dict[str, Any] = {self._runtime.first_input: inputs}
        return self._chain.run(feeds if lengths is None else feeds | {"lengths": lengths})

    def state(self) -> State:
        """Copies of h and c, (D·L, B, H)."""
        return self._chain.state()


class OnnxRuntimeDevice(OnnxRuntimeExport):
    """What the provider has a kernel for; shapes and whole numbers may stay on the CPU."""

    memory: Memory

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        super().__init__(exported, threads=threads)
        self._each = uncaptured()  # what `run` is given lies elsewhere each time
        self._chains: dict[int, CarriedByOnnxRuntime] = {}  # by B: values of one size each

    @property
    def first_input(self) -> str:
        """What tokens or features are called in the graph."""
        return "input_ids" if self._config.head == "lm" else "x"

    def carry(self, state: State | None, *, batch: int) -> Carried:
        """Begin at `state` or at zeros; what was carried before for this B ends."""
        chain = self._chains.get(batch)
        if chain is None:
            chain = self._chains[batch] = CarriedByOnnxRuntime(self._session, self._config, self.memory)
        chain.restart(self.zeros(batch) if state is None else state)
        return Carried(self, chain)

    def close(self) -> None:
        """Forget what lies on the device, and then the session."""
        for chain in self._chains.values():
            chain.release()
        super().close()

    @classmethod
    def demand_provider(cls, session: ort.InferenceSession) -> None:
        """RuntimeMissingError where it fell back to another; that some nodes go there is for the placement to tell."""
        if session.get_providers()[0] != cls.provider:
            raise RuntimeMissingError(
                f"asked ONNX Runtime for {cls.provider}, got {', '.join(session.get_providers())}"
            )

    @classmethod
    def demand_graph(cls, session: ort.InferenceSession) -> None:
        """WorkerError besides, where it leaves to another what computes: nodes on the CPU are all that some tell of."""
        cls.demand_provider(session)
        left = {part.operator for part in assignment.placement(session) if part.provider != cls.provider} - MOVES
        if left:
            raise WorkerError(f"{', '.join(sorted(left))} would run on the CPU, not on {cls.provider}")
