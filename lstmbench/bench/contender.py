"""One cleared export on one runtime, loaded in a process that sleeps until it is its turn."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from types import TracebackType
from typing import Self

from lstmbench.bench.cores import pinned
from lstmbench.bench.effort import Effort
from lstmbench.errors import AnswerError, LstmbenchError, WorkerError
from lstmbench.model import stimulus
from lstmbench.records import Clearance, Machine, Measurement, Timing, Workload
from lstmbench.worker import Samples, Worker

_DIGITS = 9  # as fine as the clock, and short on disk


class Contender:
    """Takes one workload after the other, in rounds; after a crash it is loaded again, for the next workload."""

    def __init__(self, clearance: Clearance, *, twin: bool = False, turn: int | None = None) -> None:
        """`turn`: contenders of one turn run on the same cores, those of the next on others; on any if it is None."""
        self.subject, self._twin = clearance.subject, twin
        self._exported, self._turn = clearance.exported, turn
        self._worker: Worker | None = None
        self._unloadable = ""  # why, where it is not worth a second try
        self._fresh = True  # nothing was run in the process yet
        self._rounds: list[Samples] = []
        self._refused = ""  # why the workload at hand has no timing
        self._wrong = False  # and that it was a wrong answer

    def load(self) -> None:
        """Start the process and load, unless that is done or was seen to fail."""
        if self._worker is None and not self._unloadable:
            try:
                self._worker, self._fresh = self._load(), True
            except LstmbenchError as error:
                self._unloadable = str(error)

    def begin(self) -> None:
        """Get ready for the next workload."""
        self.load()
        self._rounds, self._refused, self._wrong = [], self._unloadable, False

    def take_round(self, workload: Workload, effort: Effort) -> None:
        """Time one round, unless there is nothing left that could."""
        if self._worker is None:
            return
        inputs = stimulus.inputs(self._exported.model, batch=workload.batch, time=workload.time, seed=effort.seed)
        try:
            samples = self._worker.measure(
                workload,
                inputs,
                warmup_s=0 if self._rounds else effort.warmup_s,
                budget_s=effort.round_budget_s,
                min_samples=effort.least_round_samples,
                max_samples=effort.round_samples,
                repeats=self._rounds[0].repeats if self._rounds else 0,
            )
        except LstmbenchError as error:
            self._refused, self._wrong = str(error), isinstance(error, AnswerError)
            self.close()
        else:
            self._rounds.append(samples)

    @property
    def spent_s(self) -> float:
        """On the samples of the workload at hand; infinity where no more are to be had."""
        return math.inf if self._worker is None else sum(taken.wall_s for taken in self._rounds)

    @property
    def first_start_s(self) -> float:
        """When the first sample of the workload at hand began, on the system-wide clock; infinity if none did."""
        return self._rounds[0].start_s[0] if self._rounds else math.inf

    def measurement(
        self, workload: Workload, effort: Effort, *, process: int, session: Machine, origin_s: float
    ) -> Measurement:
        """The rounds of the workload at hand, joined, or why there are none; a crash leaves none."""
        timing = None if self._worker is None else self._timing(self._worker, effort, session, origin_s)
        self._fresh = False
        return Measurement(
            machine=session.fingerprint,
            subject=self.subject,
            workload=workload,
            process=process,
            twin=self._twin,
            timing=timing,
            refused=self._refused,
            wrong=self._wrong,
        )

    def close(self) -> None:
        """End the process."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load(self) -> Worker:
        with pinned(self.subject.threads, self._turn):
            worker = Worker(self.subject.runtime, self._exported, threads=self.subject.threads)
        now, checked = worker.info, self.subject
        seen = (checked.runtime_version, checked.code_sha256, checked.placement, checked.device)
        if (now.version, now.code_sha256, now.placement, now.device) != seen:
            worker.close()
            raise WorkerError(
                f"runtime {checked.runtime!r} was checked as version {checked.runtime_version}, now it is "
                f"{now.version}, was edited, or places nodes elsewhere; check again"
            )
        return worker

    def _timing(self, worker: Worker, effort: Effort, session: Machine, origin_s: float) -> Timing:
        digits = _DIGITS if self._rounds[0].repeats == 1 else _DIGITS + 3  # a mean is finer than the clock
        return Timing(
            session=session.before,
            budget_s=effort.budget_s,
            fresh=self._fresh,
            spawn_s=worker.spawn_s,
            load_s=worker.info.load_s,
            warmup_s=_nanoseconds(self._rounds[0].warmup_s),
            steady=self._rounds[0].steady,
            wall_s=sum(taken.wall_s for taken in self._rounds),
            cpu_s=sum(taken.cpu_s for taken in self._rounds),
            stolen=_stolen(self._rounds),
            cpu_mhz=min((taken.cpu_mhz for taken in self._rounds if taken.cpu_mhz), default=None),
            start_s=_nanoseconds(start_s - origin_s for taken in self._rounds for start_s in taken.start_s),
            sample_s=tuple(round(sample_s, digits) for taken in self._rounds for sample_s in taken.sample_s),
            repeats=self._rounds[0].repeats,
            overhead_s=round(median(taken.overhead_s for taken in self._rounds), 9),
            token_s=_nanoseconds(token_s for taken in self._rounds for token_s in taken.token_s),
            rounds=tuple(len(taken.sample_s) for taken in self._rounds),
        )


def _nanoseconds(times_s: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(time_s, _DIGITS) for time_s in times_s)


def _stolen(rounds: Sequence[Samples]) -> float | None:
    """The share of the processors' time in them; absent where it is not told, or nothing was long enough to count."""
    spent_s = sum(taken.spent_s for taken in rounds)
    told = [taken.stolen_s for taken in rounds if taken.stolen_s is not None]
    return min(1.0, sum(told) / spent_s) if told and spent_s else None
