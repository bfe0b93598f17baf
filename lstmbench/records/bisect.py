"""Where a runtime parts from the reference."""

from typing import Literal, TypeAlias

from lstmbench.records.base import Count, Positive, Record
from lstmbench.records.check import Subject

# none: no difference; layer: inside one; output: behind the layers; batch: with so many rows a call; joining: each step
# alone is right; unanswered: it does not load, crashes or refuses; unknown: the check failed, and nothing of it is seen
Part: TypeAlias = Literal["none", "layer", "output", "batch", "joining", "unanswered", "unknown"]


class Difference(Record, frozen=True, kw_only=True):
    """A line of `bisect.jsonl`: what the search for the first difference found on one subject."""

    schema: Literal["lstmbench.bisect/1"] = "lstmbench.bisect/1"
    subject: Subject
    batch: Positive  # of the run that was searched
    time: Positive
    probes: Count  # calls that the search made
    part: Part
    words: str
    # the first that is wrong; of steps that come in one call the first whose output is; of a joint the last of the
    # shortest run that is
    step: Count | None = None
    layer: Count | None = None
    reverse: bool = False  # direction of the layer
    gates: str = ""  # of i, f, g, o
    terms: tuple[str, ...] = ()
    value: str = ""  # what the numbers are of: a gate's or an output's, with its index
    got: float | None = None  # absent where it is not finite
    want: float | None = None
    allowed: float | None = None  # difference

    @property
    def right(self) -> bool:
        """Whether no difference was found."""
        return self.part == "none"
