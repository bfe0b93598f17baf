"""The head of a report: the verdict in a sentence, key figures, the machine."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import NamedTuple

from lstmbench import units
from lstmbench.plain import plain
from lstmbench.records import Load, Machine, Measurement
from lstmbench.report import wording
from lstmbench.report.noise import Noise
from lstmbench.report.speed import SpeedLine, largest_shape
from lstmbench.report.verdicts import PASSED, ParityLine


class KeyFigure(NamedTuple):
    """One number with what it is."""

    value: str
    what: str
    detail: str


def passed(parity: Sequence[ParityLine]) -> bool:
    """Whether every output is within its bound."""
    return not any(line.reason for line in parity)


def verdict(parity: Sequence[ParityLine], speed: Sequence[SpeedLine]) -> str:
    """What the check found and what became of the timings, in a sentence or two."""
    return f"{_parity_verdict(parity)} {_speed_verdict(speed)}"


def _parity_verdict(parity: Sequence[ParityLine]) -> str:
    failed = [line for line in parity if line.reason]
    if failed:
        first = failed[0]
        where = f"{first.output} of {wording.export(first.subject)} on {wording.engine(first.subject)}"
        return f"{len(failed)} of {wording.several(len(parity), 'output')} failed the check, the first: {where}."
    exports = len({wording.export(line.subject) for line in parity})
    runtimes = len({wording.engine(line.subject) for line in parity})
    worst = max(line.error_to_bound or 0.0 for line in parity)
    return (
        f"{wording.several(exports, 'export')} on {wording.several(runtimes, 'runtime')}: all "
        f"{wording.several(len(parity), 'output')} agree with the float64 reference; "
        f"the largest error takes {wording.share(worst)} of its bound."
    )


def _speed_verdict(speed: Sequence[SpeedLine]) -> str:
    refused = sum(bool(line.refused) for line in speed)
    if not speed:
        return "No call was timed by itself."
    if not refused:
        rows, are = ("All", "are") if len(speed) > 1 else ("The", "is")
        return f"{rows} {wording.several(len(speed), 'speed row')} {are} of outputs that passed."
    are = "are" if refused > 1 else "is"
    return f"Of {wording.several(len(speed), 'speed row')}, {refused} {are} refused, with the reason."


def key_figures(
    parity: Sequence[ParityLine], speed: Sequence[SpeedLine], noise: Noise, measurements: Iterable[Measurement]
) -> list[KeyFigure]:
    """The counts and the spans of what was measured; spans name no winner."""
    good = sum(line.verdict == PASSED for line in parity)
    timed = [line for line in speed if not line.refused]
    whole = [line for line in timed if line.is_plain]
    samples = f"{sum(line.samples for line in timed):,}"
    rows = f"in {wording.several(len(timed), 'row')}; {len(speed) - len(timed)} refused"
    return [
        KeyFigure(f"{good} / {len(parity)}", "outputs within their bound", "of each export on each runtime"),
        *_largest_error(parity),
        *_step(whole),
        *_throughput(whole),
        _noise(noise),
        KeyFigure(samples, "raw samples kept", rows),
        *_own_part(measurements),
    ]


def own_part(measurements: Iterable[Measurement]) -> tuple[float, float] | None:
    """The engine's own part of a sample in seconds, over processes: the median, and the most; None where none knows."""
    known = [row.timing.overhead_s for row in measurements if row.timing and row.timing.overhead_s is not None]
    return (median(known), max(known)) if known else None


def _own_part(measurements: Iterable[Measurement]) -> Iterator[KeyFigure]:
    if own := own_part(measurements):
        detail = f"around an empty call, at most {units.seconds(own[1])} in any process; in every sample"
        yield KeyFigure(units.seconds(own[0]), "of a sample is the engine's own part", detail)


def _noise(noise: Noise) -> KeyFigure:
    what = "smallest difference that is told"
    if noise.least is None or noise.largest is None:
        return KeyFigure(wording.NOT_AVAILABLE, what, "nothing was timed twice in six processes of one command")
    twice = f"{wording.several(noise.pairs, 'case')} timed twice differed by up to {wording.percent(noise.largest)}"
    wrong = f"; {noise.told_apart} of them would be called different" if noise.told_apart else ""
    return KeyFigure(wording.percent(noise.least), what, f"{twice}{wrong}")


def _largest_error(parity: Sequence[ParityLine]) -> Iterator[KeyFigure]:
    known = [line for line in parity if line.max_error is not None]
    if known:
        worst = max(known, key=lambda line: line.max_error or 0.0)
        itself, bound = wording.error(worst.float32_error), wording.error(worst.bound)
        detail = f"NumPy's own in that precision: {itself}; bound: {bound}"
        yield KeyFigure(wording.error(worst.max_error), "largest error", detail)


def _step(timed: Sequence[SpeedLine]) -> Iterator[KeyFigure]:
    decoded = [line for line in timed if line.workload == "decode"]
    if decoded:
        batch = min(line.batch for line in decoded)
        medians = sorted(line.p50_ms for line in decoded if line.batch == batch and line.p50_ms is not None)
        if medians:
            span = _span([wording.number(medians[0]), wording.number(medians[-1])])
            yield KeyFigure(span, "ms between two tokens", f"decoding at B = {batch}: medians of {len(medians)} rows")


def _throughput(timed: Sequence[SpeedLine]) -> Iterator[KeyFigure]:
    there = largest_shape([line for line in timed if line.workload == "score"])
    if there:
        rates = sorted(line.tokens_per_s for line in there if line.tokens_per_s)
        detail = f"scoring at B = {there[0].batch}, T = {there[0].time}: {wording.several(len(rates), 'row')}"
    if there and rates:
        yield KeyFigure(_span([wording.rate(rates[0]), wording.rate(rates[-1])]), "tokens a second", detail)


def _span(ends: Sequence[str]) -> str:
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} – {ends[1]}"


def machine_facts(machine: Machine) -> list[tuple[str, str]]:
    """What the machine was, before and after."""
    physical = f", {machine.cores_physical} physical" if machine.cores_physical else ""
    facts = [
        ("Measured", f"{when(machine.before)} to {when(machine.after) if machine.after else 'no end recorded'}"),
        ("Processor", machine.cpu),
        ("Cores", f"{machine.cores_usable} usable{physical}"),
        ("Memory", f"{machine.memory_bytes / 2**30:.1f} GiB"),
        ("Instruction sets", ", ".join(machine.instruction_sets) or wording.NOT_AVAILABLE),
        ("Frequency governor", machine.governor or wording.NOT_AVAILABLE),
        ("Load and clock before", _load(machine.before)),
        ("Load and clock after", _load(machine.after) if machine.after else wording.NOT_AVAILABLE),
        ("System", machine.system),
        ("Python", machine.python),
        ("Versions", ", ".join(f"{name} {version}" for name, version in sorted(machine.versions.items()))),
    ]
    return [(name, plain(text)) for name, text in facts]


def place_and_time(machine: Machine) -> str:
    """The machine in a line: processor, cores, when."""
    cores = wording.several(machine.cores_usable, "usable core")
    return f"{plain(machine.cpu)} · {cores} · {when(machine.before)}"


def cautions(machine: Machine, measurements: Sequence[Measurement]) -> list[str]:
    """What a reader must know before comparing rows of this run."""
    sessions = sorted({row.timing.session for row in measurements if row.timing}, key=lambda load: load.at)
    said = []
    if machine.after is None:
        said.append("This run has recorded no end: rows may be missing. The same command goes on with it.")
    if len(sessions) > 1:
        when_begun = ", ".join(map(when, sessions))
        said.append(
            f"Timed by {len(sessions)} commands, begun {when_begun}: only rows of one command took turns; what the "
            f"machine did between them sets the others apart."
        )
    busiest = max((session.load_average[0] for session in sessions), default=0.0)
    if busiest > machine.cores_usable / 2:
        load = wording.number(busiest)
        said.append(f"The machine was busy when timing began (load {load}): take small differences for noise.")
    return said


def when(load: Load) -> str:
    """A moment in UTC, to the minute; as it was written where it is no date."""
    try:
        moment = datetime.fromisoformat(load.at)
        return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError):
        return plain(load.at)


def _load(load: Load) -> str:
    clock = f", {load.cpu_mhz:,.0f} MHz" if load.cpu_mhz else ""
    return f"{' / '.join(f'{average:.2f}' for average in load.load_average)} (1, 5, 15 min){clock}"
