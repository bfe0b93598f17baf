"""The child's side of a meeting: import the adapter, ask it what there is to know without a model."""

from lstmbench.errors import RuntimeMissingError
from lstmbench.runtimes import GROUP, PROBES, load, load_graphs, names
from lstmbench.worker.messages import Meet, Met


def met(request: Meet) -> Met:
    """Its version, what it was built with, and what the machine lacks as far as it knows."""
    only_graphs = request.runtime in names(PROBES) and request.runtime not in names(GROUP)
    adapter = load_graphs(request.runtime) if only_graphs else load(request.runtime)
    device, lacks = "", ""
    try:
        device = str(getattr(adapter, "ready", str)())
    except RuntimeMissingError as error:
        lacks = str(error)
    offers = tuple(getattr(adapter, "offers", tuple)())
    return Met(version=str(getattr(adapter, "version", "")), offers=offers, device=device, lacks=lacks)
