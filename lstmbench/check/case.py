"""One run that a runtime has to get right."""

from typing import NamedTuple, Self

from lstmbench.records import Asked, Decoding, ParityRow, Start


class Case(NamedTuple):
    """One run: `chunks` steps a call, the state carried from one call to the next.

    Where the graph draws itself, `time` and `chunks` count the tokens that it draws, as `decoding` says. Where each
    step is asked by itself, all are rows of one call.
    """

    batch: int
    time: int
    chunks: tuple[int, ...]
    state: Start
    decoding: Decoding | None = None
    lengths: tuple[int, ...] = ()  # of each row, all calls together; () where all end at T
    asked: Asked = "plain"
    first_token: int = 0  # of the first row, where the vocabulary is asked for

    @classmethod
    def of(cls, row: ParityRow) -> Self:
        """The run of which a row tells."""
        return cls(*(getattr(row, name) for name in cls._fields))
