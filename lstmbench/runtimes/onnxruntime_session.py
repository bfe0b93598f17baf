"""What every session of ONNX Runtime needs: its options, and proof of where its nodes went."""

from collections.abc import Mapping
from typing import TypeAlias

import onnxruntime as ort

from lstmbench.errors import RuntimeMissingError
from lstmbench.records import Placement

Provider: TypeAlias = tuple[str, Mapping[str, str]]  # its name and its options


def options(threads: int) -> ort.SessionOptions:
    """The options of a session that tells where its nodes went."""
    chosen = ort.SessionOptions()
    chosen.intra_op_num_threads = threads
    chosen.inter_op_num_threads = 1  # the graph is a chain: nothing to run side by side
    chosen.add_session_config_entry("session.record_ep_graph_assignment_info", "1")  # unknown to old ones: ignored
    return chosen


def demand_provider(session: ort.InferenceSession, placed: tuple[Placement, ...], provider: str) -> None:
    """RuntimeMissingError if any other provider has a part in it."""
    others = {*session.get_providers(), *(part.provider for part in placed)} - {provider}
    if others:
        raise RuntimeMissingError(f"asked ONNX Runtime for {provider}, got {', '.join(sorted(others))}")
