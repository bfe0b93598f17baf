"""Who knows what a file must answer: the float64 evaluation of a graph, or the float64 reference with a checkpoint."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lstmbench import parity
from lstmbench.check import reach
from lstmbench.check.foreign.opened import Opened, about
from lstmbench.check.foreign.ranges import Use, use
from lstmbench.errors import CheckpointError, CrashError, GraphError, WorkerError
from lstmbench.model import folder
from lstmbench.model.weights import expected_shapes
from lstmbench.onnxfile.carried import Carried
from lstmbench.onnxfile.ports import Port
from lstmbench.parity import Expected
from lstmbench.parity.graphs import expected
from lstmbench.records import ModelConfig
from lstmbench.runtimes.evaluated import evaluations
from lstmbench.worker import GraphWorker

Array = NDArray[Any]
_EVALUATED = "lstmbench.runtimes.evaluated:Evaluated"
_SEED = 20_000  # of the check of our own exports
_LIMIT_S = 300.0  # to load, and at each size
_FLOAT, _INT = np.dtype(np.float32), np.dtype(np.int64)


class Oracle(Protocol):
    """What is wanted of a file, by the oracle's own names."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    uses: dict[str, Use]  # of each input that is integers
    optional: frozenset[str]  # inputs and outputs that a file may do without
    carried: Carried

    def expect(self, inputs: Mapping[str, Array], *, large: bool = False) -> dict[str, Expected]:
        """What each output must be at these inputs, and how far it may be off; GraphError where it cannot be told."""
        ...

    def driven(self, names: Iterable[str], *, batch: int, time: int) -> dict[str, Array] | None:
        """Inputs of these names that drive sums of gates far; None where weights are not known."""
        ...


class GraphOracle:
    """A graph in float64, evaluated in a process of its own, which ends with the check."""

    optional: frozenset[str] = frozenset()

    def __init__(self, file: Opened, carried: Carried) -> None:
        self.inputs, self.outputs = file.ports
        self.carried = carried
        self.uses = {port.name: use(file.model, port.name) for port in self.inputs}
        self._path = file.path
        self._worker: GraphWorker | None = None
        for port in self.outputs:
            if port.dtype == np.float64:
                raise GraphError(
                    f"{file.path}: its output {port.name!r} is float64, as the evaluation itself: only outputs in "
                    f"float32, of integers and of truth values can be judged"
                )

    def driven(self, names: Iterable[str], *, batch: int, time: int) -> None:  # noqa: ARG002 (no gate is known)
        """Nothing."""
        return

    def expect(self, inputs: Mapping[str, Array], *, large: bool = False) -> dict[str, Expected]:  # noqa: ARG002
        """Evaluate in float64, and several times in float32."""
        with about(self._path):
            try:
                self._worker = self._worker or GraphWorker(_EVALUATED, self._path, timeout_s=_LIMIT_S)
                return expected(evaluations(self._worker.run(inputs)), self.carried.outputs)
            except WorkerError as error:
                self._worker = None  # an error closed it
                why = "takes too long or too much memory" if isinstance(error, CrashError) else "cannot be evaluated"
                told = str(error).replace(f"runtime {_EVALUATED!r}", "the evaluation")
                raise GraphError(f"it {why}: {told}") from error
            except GraphError:
                self._worker = None
                raise

    def close(self) -> None:
        """End the process."""
        if self._worker is not None:
            self._worker.close()


class CheckpointOracle:
    """The NumPy reference with the weights of a model folder, for head `lm` or for its layers alone."""

    optional = frozenset(["h_0", "c_0", "lengths", "h_n", "c_n"])

    def __init__(self, path: Path, found: tuple[Port, ...]) -> None:
        checkpoint = folder.read(path)
        model = checkpoint.folder.model
        if model.head == "lm" and not any(port.dtype.kind in "iu" and len(port.dims or ()) == 2 for port in found):
            model = model.layers_only()
        self.model: ModelConfig = model
        missing = [name for name in expected_shapes(model) if name not in checkpoint.weights]
        if missing:
            raise CheckpointError(f"{path} holds no {missing[0]}")
        self._weights = {name: checkpoint.weights[name] for name in expected_shapes(model)}
        self.inputs, self.outputs = _contract(model)
        (given, *_), (output, *_) = self.inputs, self.outputs
        self.carried = Carried(
            states=(("h_0", "h_n"), ("c_0", "c_n")),
            time={given.name: 1},
            outputs={output.name: 1},
            uncut=model.uncut,
        )
        known = {"input_ids": Use(rows=model.vocabulary_size), "lengths": Use(lengths=True)}
        self.uses = {port.name: known.get(port.name, Use()) for port in self.inputs}

    def driven(self, names: Iterable[str], *, batch: int, time: int) -> dict[str, Array]:
        """As our own exports are asked; rows are whole."""
        first, known = self.inputs[0].name, (self.model, self._weights)
        h, c = reach.state(*known, batch=batch, seed=_SEED)
        large: dict[str, Array] = {first: reach.inputs(*known, batch=batch, time=time, seed=_SEED), "h_0": h, "c_0": c}
        large["lengths"] = np.full(batch, time, np.int32)
        return {name: large[name] for name in names}

    def expect(self, inputs: Mapping[str, Array], *, large: bool = False) -> dict[str, Expected]:
        """Run the reference; states that are not given are zeros."""
        given = inputs[self.inputs[0].name]
        state = (inputs["h_0"], inputs["c_0"]) if "h_0" in inputs else None
        answer = parity.expect(self.model, self._weights, given, state, lengths=inputs.get("lengths"), large=large)
        return {one.name: one for one in answer}


def _contract(model: ModelConfig) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    D, H, L = model.directions, model.hidden_size, model.num_layers
    lm = model.head == "lm"
    given = Port("input_ids", _INT, ("B", "T")) if lm else Port("x", _FLOAT, ("B", "T", model.input_size))
    name, _, _ = model.output_names
    output = Port(name, _FLOAT, ("B", "T", model.vocabulary_size if lm else D * H))
    states = [Port(name, _FLOAT, (D * L, "B", H)) for name in ("h_0", "c_0", "h_n", "c_n")]
    return (given, *states[:2], Port("lengths", np.dtype(np.int32), ("B",))), (output, *states[2:])
