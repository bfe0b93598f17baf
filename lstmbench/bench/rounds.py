"""Rounds of one workload over all contenders, so that what the machine does meanwhile falls on all of them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from lstmbench.bench.contender import Contender
from lstmbench.bench.effort import Effort
from lstmbench.records import Workload

Progress: TypeAlias = Callable[[str], None]


def interleave(
    contenders: Sequence[Contender],
    workload: Workload,
    effort: Effort,
    *,
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    """Let each take the rounds of a workload, in a new random order in each round; no more than its budget fills."""
    for contender in contenders:
        contender.begin()
    for n in range(effort.rounds):
        if n >= effort.least_rounds and all(contender.spent_s >= effort.process_budget_s for contender in contenders):
            break
        for index in rng.permutation(len(contenders)):
            contender = contenders[index]
            progress(
                f"{workload.label}, round {n + 1} of {effort.rounds}: "
                f"{contender.subject.model} on {contender.subject.runtime}"
            )
            contender.take_round(workload, effort)
