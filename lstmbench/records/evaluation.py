"""How well what a runtime computes predicts a text."""

from lstmbench.records.base import Positive, Record
from lstmbench.records.check import Subject
from lstmbench.records.model import Score


class Evaluation(Record, frozen=True, kw_only=True):
    """A score, the interval of its nats, and the parity that vouches for it; or why there is none."""

    subject: Subject
    text: str  # its name, and which part of it
    text_sha256: str  # of its tokens, as in the record of an export
    score: Score | None = None
    nats_low: float | None = None  # 95 %, from the rows of the text
    nats_high: float | None = None
    rows: Positive | None = None
    refused: str = ""
