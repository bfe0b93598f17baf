"""Any ONNX file in one session of ONNX Runtime."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort
from numpy.typing import NDArray

from lstmbench.records import Placement
from lstmbench.runtimes.onnxruntime_session import Provider, options
from lstmbench.runtimes.recurring import is_idle, placement_of_file


class OnnxRuntimeGraph:
    """A graph with its own inputs and outputs, optimised as ONNX Runtime does by default."""

    version: str = ort.__version__

    def __init__(
        self,
        path: Path,
        *,
        threads: int,
        providers: Sequence[Provider],
        demand: Callable[[ort.InferenceSession], None],
        device: str,
    ) -> None:
        self.device = device
        # by its path, not its bytes: external data is then looked for beside it
        self._session = ort.InferenceSession(str(path), options(threads), providers=list(providers))
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._placement = placement_of_file(self._session, path)
        # what nothing runs on gives no figure its name; one before 1.24 tells nothing, and with one provider need not
        alone = not self._placement and len(self._session.get_providers()) == 1
        self.provider = "" if alone or is_idle(self._session) else providers[0][0]
        demand(self._session)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute all outputs."""
        return dict(zip(self._outputs, self._session.run(self._outputs, dict(inputs)), strict=True))

    def placement(self) -> tuple[Placement, ...]:
        """How many nodes of each operator the session gave to each provider."""
        return self._placement

    def close(self) -> None:
        """Forget the session."""
        del self._session
