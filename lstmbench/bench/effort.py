"""How long a case is timed."""

import math

from lstmbench.errors import LstmbenchError
from lstmbench.records import Record
from lstmbench.samples import minimum_samples

_LONGEST_S = 86_400.0


class Effort(Record, frozen=True, kw_only=True):
    """The same for every case of a run; LstmbenchError in one line where nothing could be timed."""

    processes: int = 6  # a case is timed in, one after the other: six medians carry a 95 % interval, eight one of 99 %
    rounds: int = 2  # at most, in each process; between them the other contenders take theirs
    warmup_s: float = 0.1  # in each process, or until it is steady; each later round has one untimed call
    budget_s: float = 0.5  # of sampling a case, over all its rounds; longer where a median needs more samples
    samples: int = 5000  # at most, over all its rounds: p99.9 takes 4603
    twins: bool = True  # whether one contender runs twice, which tells how much noise there is
    in_turn: bool = False  # whether all contenders take a pass anew if one has to: what is compared took turns
    weigh: bool = True  # whether memory is looked at, in a pass of its own
    seed: int = 0  # of the order within a round

    def __post_init__(self) -> None:
        least = minimum_samples(0.5)
        if self.processes < 1 or self.rounds < 1 or self._all_rounds * self.round_samples < least:
            raise LstmbenchError(
                f"cannot take {self.samples} samples in {self.processes} processes of {self.rounds} rounds, as many in "
                f"each: a median needs {least}"
            )
        if not (0 <= self.warmup_s <= _LONGEST_S and 0 < self.budget_s <= _LONGEST_S):
            raise LstmbenchError(
                f"cannot time for {self.budget_s:g} s after {self.warmup_s:g} s: give a positive time, a day at most"
            )

    @property
    def _all_rounds(self) -> int:
        return self.processes * self.rounds

    @property
    def process_budget_s(self) -> float:
        """Of sampling, in one process."""
        return self.budget_s / self.processes

    @property
    def round_budget_s(self) -> float:
        """Of sampling, in one round."""
        return self.budget_s / self._all_rounds

    @property
    def round_samples(self) -> int:
        """At most, in one round."""
        return self.samples // self._all_rounds

    @property
    def least_round_samples(self) -> int:
        """In one round, so that all of them carry a median."""
        return math.ceil(minimum_samples(0.5) / self._all_rounds)

    @property
    def least_rounds(self) -> int:
        """In each process, whatever they take."""
        return max(2, math.ceil(minimum_samples(0.5) / (self.processes * self.least_round_samples)))


def in_turn(*, budget_s: float, processes: int) -> Effort:
    """To compare: short rounds, so that what else the machine does falls on both of two that follow each other."""
    return Effort(budget_s=budget_s, processes=processes, rounds=30, in_turn=True)
