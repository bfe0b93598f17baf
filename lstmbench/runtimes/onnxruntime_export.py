"""ONNX Runtime, whichever provider: the exported file as it lies on disk, or any other."""

import itertools
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from lstmbench.arrays import Floats, Lengths, State, Tokens
from lstmbench.errors import RecordError, WorkerError
from lstmbench.records import ExportedModel, Head, Placement
from lstmbench.runtimes import assignment, profile, unchanged
from lstmbench.runtimes.onnxruntime_graph import OnnxRuntimeGraph
from lstmbench.runtimes.onnxruntime_session import Provider, demand_provider, options

# inputs and outputs in order, with ONNX Runtime's words for their types
_IDS, _FLOATS = "tensor(int64)", "tensor(float)"
_INPUTS: dict[Head, dict[str, str]] = {
    "lm": {"input_ids": _IDS, "h_0": _FLOATS, "c_0": _FLOATS},
    "layer": {"x": _FLOATS, "h_0": _FLOATS, "c_0": _FLOATS},
}
_EXTERNAL = b"location"  # what every tensor that lies in another file is said with
_DRAWS_FROM = _INPUTS["lm"] | {"temperature": _FLOATS, "top_k": _IDS, "uniform": _FLOATS}
_DRAWN = {"tokens": _IDS, "h_n": _FLOATS, "c_n": _FLOATS}


class OnnxRuntimeExport:
    """Run the exported graph in one ONNX Runtime session; a kind of it names the provider."""

    version: str = ort.__version__
    provider: str
    tells_assignment = True  # where this ONNX Runtime has a word for it at all
    _each: ort.RunOptions | None = None  # of every call of `run`

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        self.device = self.ready()
        self._exported, self._config, self._threads = exported, exported.model, threads
        graph = unchanged.onnx_bytes(exported)
        self._beside = _beside(exported, graph)  # the session takes no copy
        self._start = partial(_session, exported, graph, self._beside, providers=self.providers())
        self._session = self._open()
        _demand_names(exported, self._session)
        self.demand_provider(self._session)
        # only float16 is computed in another precision than the file says
        self._halves = graph if exported.record.precision == "fp16" else b""

    @classmethod
    def graph(cls, path: Path, *, threads: int) -> OnnxRuntimeGraph:
        """Load any ONNX file, by its own names."""
        device = cls.ready()
        return OnnxRuntimeGraph(
            path, threads=threads, providers=cls.providers(), demand=cls.demand_graph, device=device
        )

    @classmethod
    def ready(cls) -> str:
        """What it computes on, where that is not what the provider's name says.

        RuntimeMissingError where the machine lacks something that the engine needs.
        """
        return ""

    @classmethod
    def providers(cls) -> tuple[Provider, ...]:
        """The provider, and what may stand in for it, each with its options; the CPU stands behind them all."""
        return ((cls.provider, {}),)

    @classmethod
    def offers(cls) -> tuple[str, ...]:
        """The providers that this wheel was built with; whether the machine has what they need, it does not say."""
        return tuple(ort.get_available_providers())

    @classmethod
    def demand_provider(cls, session: ort.InferenceSession) -> None:
        """RuntimeMissingError where the session did not get the provider, or got another beside it."""
        demand_provider(session, assignment.placement(session), cls.provider)

    @classmethod
    def demand_graph(cls, session: ort.InferenceSession) -> None:
        """The same of a graph whose nodes bear any names, so that nothing says afterwards which of them recur."""
        cls.demand_provider(session)

    def run(
        self, inputs: Tokens | Floats, state: State | None, *, lengths: Lengths | None = None
    ) -> tuple[Floats, State]:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); and the next state (D·L, B, H)."""
        feeds = self._feeds(inputs, state, lengths)
        output, h_n, c_n = self._session.run(self._config.output_names, feeds, self._each)
        return output, State(h_n, c_n)

    def _feeds(self, inputs: Tokens | Floats, state: State | None, lengths: Lengths | None) -> dict[str, Any]:
        h_0, c_0 = self.zeros(len(inputs)) if state is None else state
        feeds: dict[str, Any] = dict(zip(_INPUTS[self._config.head], (inputs, h_0, c_0), strict=True))
        return feeds if lengths is None else feeds | {"lengths": lengths}

    def generate(
        self, prompt: Tokens, state: State | None, uniform: Floats, *, temperature: float, top_k: int
    ) -> tuple[Tokens, State]:
        """Prompt (B, T), uniform (B, N) -> tokens (B, N), drawn in the graph; and the state before the last."""
        h_0, c_0 = self.zeros(len(prompt)) if state is None else state
        how = (np.array(temperature, np.float32), np.array(top_k))
        feeds = dict(zip(_DRAWS_FROM, (prompt, h_0, c_0, *how, uniform), strict=True))
        tokens, h_n, c_n = self._session.run(list(_DRAWN), feeds)
        return tokens, State(h_n, c_n)

    def zeros(self, batch: int) -> State:
        """The state that stands for none, (D·L, B, H)."""
        shape = self._config.state_shape(batch)
        return State(np.zeros(shape, np.float32), np.zeros(shape, np.float32))

    def placement(self) -> tuple[Placement, ...]:
        """How many nodes of each operator the session gave to each provider, or ran there in one call for the purpose.

        The nodes are those of the graph after fusion, Scan bodies included; recurrent ones with their precision.
        """
        ran_in = assignment.precisions(self._halves, self._beside, self.provider) if self._halves else None
        told = assignment.placement(self._session, ran_in) if self.tells_assignment else ()
        if any(part.provider == self.provider for part in told):
            return told
        ran = profile.nodes_that_ran(self._start, options(self._threads), profile.smallest_call(self._exported))
        return assignment.counted(itertools.starmap(assignment.Node, ran), ran_in)

    def close(self) -> None:
        """Forget the session."""
        del self._session, self._start, self._beside

    def _open(self) -> ort.InferenceSession:
        return self._start(options(self._threads))


def _beside(exported: ExportedModel, graph: bytes) -> dict[str, ort.OrtValue]:
    """The tensors that the file keeps beside itself."""
    if exported.record.data is None and _EXTERNAL not in graph:
        return {}
    from lstmbench.runtimes import external  # onnx takes half a second to import

    if exported.record.data is None:
        external.demand_none(graph)
        return {}
    tensors = external.tensors(graph, unchanged.external_data(exported, exported.record.data))
    return {name: ort.OrtValue.ortvalue_from_numpy(tensor) for name, tensor in tensors.items()}


def _session(
    exported: ExportedModel,
    graph: bytes,
    beside: dict[str, ort.OrtValue],
    chosen: ort.SessionOptions,
    *,
    providers: Sequence[Provider],
) -> ort.InferenceSession:
    if beside:
        chosen.add_external_initializers(list(beside), list(beside.values()))
    try:
        return ort.InferenceSession(graph, chosen, providers=list(providers))
    except Exception as error:  # ONNX Runtime's errors share no base class but this one
        why = " ".join(str(error).split())
        raise WorkerError(f"onnxruntime {ort.__version__} cannot load {exported.path}; export again: {why}") from error


def _demand_names(exported: ExportedModel, session: ort.InferenceSession) -> None:
    inputs, outputs = _INPUTS[exported.model.head], dict.fromkeys(exported.model.output_names, _FLOATS)
    if exported.draws:
        inputs, outputs = _DRAWS_FROM, _DRAWN
    if exported.record.lengths:
        inputs = inputs | {"lengths": "tensor(int32)"}
    for kind, want, nodes in (("inputs", inputs, session.get_inputs()), ("outputs", outputs, session.get_outputs())):
        got = {node.name: node.type for node in nodes}
        if got != want:
            raise RecordError(
                f"{exported.path} has {kind} {_listed(got)}, head {exported.model.head!r} needs {_listed(want)}; "
                f"export again"
            )


def _listed(types: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in types.items())
