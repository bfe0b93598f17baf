"""What every session of ONNX Runtime needs: its options, where its nodes went, and proof that they went there."""

from collections import Counter

import onnxruntime as ort

from lstmbench.errors import RuntimeMissingError
from lstmbench.records import Placement


def options(threads: int) -> ort.SessionOptions:
    """The options of a session that tells where its nodes went."""
    chosen = ort.SessionOptions()
    chosen.intra_op_num_threads = threads
    chosen.inter_op_num_threads = 1  # the graph is a chain: nothing to run side by side
    chosen.add_session_config_entry("session.record_ep_graph_assignment_info", "1")  # unknown to old ones: ignored
    return chosen


def placement(session: ort.InferenceSession) -> tuple[Placement, ...]:
    """How many nodes of each operator the session gave to each provider; () where ONNX Runtime is too old to say.

    The nodes are those of the graph after fusion, Scan bodies included.
    """
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return ()
    parts = session.get_provider_graph_assignment_info()
    nodes = Counter((part.ep_name, node.op_type) for part in parts for node in part.get_nodes())
    return tuple(
        Placement(provider=provider, operator=operator, nodes=count)
        for (provider, operator), count in sorted(nodes.items())
    )


def demand_provider(session: ort.InferenceSession, placed: tuple[Placement, ...], provider: str) -> None:
    """RuntimeMissingError if any other provider has a part in it."""
    others = {*session.get_providers(), *(part.provider for part in placed)} - {provider}
    if others:
        raise RuntimeMissingError(f"asked ONNX Runtime for {provider}, got {', '.join(sorted(others))}")
