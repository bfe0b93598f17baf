"""The raw files of a run: what was measured, on which machine, and what the check said."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from lstmbench import disk
from lstmbench.errors import RecordError
from lstmbench.records import (
    ArrivalRow,
    ChangeRow,
    Cost,
    DriftRow,
    Evaluation,
    Install,
    Machine,
    Measurement,
    ParityRow,
    ProbeRow,
    Roof,
    Subject,
    Weight,
)
from lstmbench.runfolder import (
    ARRIVALS,
    BASELINE,
    COSTS,
    DRIFT,
    EVALUATIONS,
    INSTALLS,
    MACHINE,
    MEASUREMENTS,
    MEMORY,
    PARITY,
    PROBES,
    ROOFLINE,
)


class Raw(NamedTuple):
    """Everything that a report is made from; the rest can be rebuilt."""

    machine: Machine
    parity: tuple[ParityRow, ...]
    measurements: tuple[Measurement, ...]
    weights: tuple[Weight, ...] = ()
    probes: tuple[ProbeRow, ...] = ()  # where runtimes were probed
    drift: tuple[DriftRow, ...] = ()
    roofs: tuple[Roof, ...] = ()
    arrivals: tuple[ArrivalRow, ...] = ()
    changes: tuple[ChangeRow, ...] = ()  # beside a baseline
    costs: tuple[Cost, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    installs: tuple[Install, ...] = ()

    def of(self, subjects: Iterable[Subject]) -> Self:
        """What was checked and timed of these subjects alone; a run's folder may hold others."""
        meant = {subject.identity for subject in subjects}
        parity = tuple(row for row in self.parity if row.subject.identity in meant)
        return self._replace(
            parity=parity, measurements=tuple(row for row in self.measurements if row.subject.identity in meant)
        )


def read(run: Path) -> Raw:
    """Read a run that was checked, and then timed, or served queries, or predicted a text.

    RecordError in one line where a file is missing, damaged or foreign.
    """
    recorded = read_checked(run)
    if not (recorded.measurements or recorded.arrivals or recorded.evaluations):
        raise RecordError(f"{run} holds no whole line of {MEASUREMENTS} yet; time its exports with 'lstmbench bench'")
    return recorded


def read_checked(run: Path) -> Raw:
    """The same for a run that may not have been timed yet."""
    if run.is_file() and run.suffix == ".json":
        raise RecordError(
            f"{run} is a file, and a run is a folder; if it is of pytest-benchmark: no output of its samples was "
            f"checked, and one process does not show what processes differ by, so they cannot be compared here"
        )
    if not (run / MACHINE).is_file():
        raise RecordError(f"{run} is no run: it has no {MACHINE}; make one with 'lstmbench run'")
    machine = disk.read_record(run / MACHINE, Machine)
    parity = tuple(disk.read_journal(run / PARITY, ParityRow))
    if not parity:
        raise RecordError(f"{run} holds no whole line of {PARITY} yet; check its exports with 'lstmbench check'")
    measurements = tuple(disk.read_journal(run / MEASUREMENTS, Measurement))
    weights = tuple(disk.read_journal(run / MEMORY, Weight))
    probes = tuple(disk.read_journal(run / PROBES, ProbeRow))
    roofs = tuple(disk.read_journal(run / ROOFLINE, Roof))
    _demand_one_machine(run / MEASUREMENTS, machine, measurements)
    _demand_one_machine(run / MEMORY, machine, weights)
    _demand_one_machine(run / PROBES, machine, probes)
    _demand_one_machine(run / ROOFLINE, machine, roofs)
    arrivals = tuple(disk.read_journal(run / ARRIVALS, ArrivalRow))
    _demand_one_machine(run / ARRIVALS, machine, arrivals)
    changes = tuple(disk.read_journal(run / BASELINE, ChangeRow))
    _demand_one_machine(run / BASELINE, machine, changes)
    drift = tuple(disk.read_journal(run / DRIFT, DriftRow))
    costs = tuple(disk.read_journal(run / COSTS, Cost))
    evaluations = tuple(disk.read_journal(run / EVALUATIONS, Evaluation))
    installs = tuple(disk.read_journal(run / INSTALLS, Install))
    others = (probes, drift, roofs, arrivals, changes, costs, evaluations, installs)
    return Raw(machine, parity, measurements, weights, *others)


def _demand_one_machine(
    path: Path, machine: Machine, rows: Sequence[Measurement | Weight | ProbeRow | Roof | ArrivalRow | ChangeRow]
) -> None:
    for n, row in enumerate(rows, 1):
        if row.machine != machine.fingerprint:
            raise RecordError(
                f"{path}, line {n} was measured on {row.machine!r}, {MACHINE} describes "
                f"{machine.fingerprint!r}: give each machine a run of its own"
            )
