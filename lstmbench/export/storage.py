"""How an export lies on disk."""

from typing import NamedTuple

from lstmbench.export.opset import NEWEST


class Storage(NamedTuple):
    """What decides the bytes of a file beside the model, its form and its precision; and what may be replaced."""

    opset: int = NEWEST
    external_data: bool = False  # weights in a file beside the graph; over 2 GB they always are
    force: bool = False  # replace a file of that name that holds something else


DEFAULT = Storage()
