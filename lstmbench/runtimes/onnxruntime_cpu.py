"""ONNX Runtime, CPU provider: the exported file as it lies on disk."""

from collections import Counter

import numpy as np
import onnxruntime as ort

from lstmbench.arrays import Floats, State, Tokens
from lstmbench.errors import RecordError, RuntimeMissingError, WorkerError
from lstmbench.records import ExportedModel, ModelConfig, Placement
from lstmbench.runtimes import unchanged

PROVIDER = "CPUExecutionProvider"


class OnnxRuntimeCpu:
    """Run the exported graph in one ONNX Runtime session."""

    version: str = ort.__version__

    def __init__(self, exported: ExportedModel, *, threads: int) -> None:
        self._config = exported.model
        graph = unchanged.onnx_bytes(exported)
        self._beside = _beside(exported, graph)  # the session takes no copy
        self._session = _session(exported, graph, self._beside, threads)
        _demand_names(exported, self._session)
        self._placement = _placement(self._session)
        _demand_provider(self._session, self._placement)

    def run(self, inputs: Tokens | Floats, state: State | None) -> tuple[Floats, State]:
        """Tokens (B, T) -> logits (B, T, V), or x (B, T, E) -> y (B, T, D·H); and the next state (D·L, B, H)."""
        h_0, c_0 = _zeros(self._config, len(inputs)) if state is None else state
        feeds = dict(zip(_input_types(self._config), (inputs, h_0, c_0), strict=True))
        output, h_n, c_n = self._session.run(self._config.output_names, feeds)
        return output, State(h_n, c_n)

    def placement(self) -> tuple[Placement, ...]:
        """How many nodes of each operator the session gave to each provider; () where ONNX Runtime is too old to say.

        The nodes are those of the graph after fusion, Scan bodies included.
        """
        return self._placement

    def close(self) -> None:
        """Forget the session."""
        del self._session, self._beside


def _beside(exported: ExportedModel, graph: bytes) -> dict[str, ort.OrtValue]:
    """The tensors that the file keeps beside itself."""
    if exported.record.data is None:
        return {}
    from lstmbench.runtimes import external  # onnx takes half a second to import

    tensors = external.tensors(graph, unchanged.external_data(exported, exported.record.data))
    return {name: ort.OrtValue.ortvalue_from_numpy(tensor) for name, tensor in tensors.items()}


def _session(
    exported: ExportedModel, graph: bytes, beside: dict[str, ort.OrtValue], threads: int
) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1  # the graph is a chain: nothing to run side by side
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")  # unknown to old ones: ignored
    if beside:
        options.add_external_initializers(list(beside), list(beside.values()))
    try:
        return ort.InferenceSession(graph, options, providers=[PROVIDER])
    except Exception as error:  # ONNX Runtime's errors share no base class but this one
        why = " ".join(str(error).split())
        raise WorkerError(f"onnxruntime {ort.__version__} cannot load {exported.path}; export again: {why}") from error


def _input_types(config: ModelConfig) -> dict[str, str]:
    """The inputs of a head, in order, with ONNX Runtime's words for their types."""
    own = {"input_ids": "tensor(int64)"} if config.head == "lm" else {"x": "tensor(float)"}
    return own | {"h_0": "tensor(float)", "c_0": "tensor(float)"}


def _demand_names(exported: ExportedModel, session: ort.InferenceSession) -> None:
    inputs, outputs = _input_types(exported.model), dict.fromkeys(exported.model.output_names, "tensor(float)")
    for kind, want, nodes in (("inputs", inputs, session.get_inputs()), ("outputs", outputs, session.get_outputs())):
        got = {node.name: node.type for node in nodes}
        if got != want:
            raise RecordError(
                f"{exported.path} has {kind} {_listed(got)}, head {exported.model.head!r} needs {_listed(want)}; "
                f"export again"
            )


def _listed(types: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in types.items())


def _placement(session: ort.InferenceSession) -> tuple[Placement, ...]:
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return ()
    parts = session.get_provider_graph_assignment_info()
    nodes = Counter((part.ep_name, node.op_type) for part in parts for node in part.get_nodes())
    return tuple(
        Placement(provider=provider, operator=operator, nodes=count)
        for (provider, operator), count in sorted(nodes.items())
    )


def _demand_provider(session: ort.InferenceSession, placement: tuple[Placement, ...]) -> None:
    others = {*session.get_providers(), *(part.provider for part in placement)} - {PROVIDER}
    if others:
        raise RuntimeMissingError(f"asked ONNX Runtime for {PROVIDER}, got {', '.join(sorted(others))}")


def _zeros(config: ModelConfig, batch: int) -> State:
    shape = config.state_shape(batch)
    return State(np.zeros(shape, np.float32), np.zeros(shape, np.float32))
