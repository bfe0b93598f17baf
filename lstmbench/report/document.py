"""A report before it takes a format: what the page and the Markdown both say."""

from collections.abc import Sequence
from typing import NamedTuple

from lstmbench.report import definitions, drift, probes, sheets, summary, wording
from lstmbench.report.advice import advice, advice_sheets
from lstmbench.report.arrivals import arrival_lines, arrival_sheets
from lstmbench.report.evaluations import evaluation_sheets
from lstmbench.report.figures import Figure
from lstmbench.report.kept_changes import change_lines, change_sheets
from lstmbench.report.memory import memory_lines
from lstmbench.report.noise import Noise
from lstmbench.report.prices import price_sheets, priced
from lstmbench.report.raw import Raw
from lstmbench.report.requests import request_lines, request_sheets
from lstmbench.report.roofline import roof_lines, roof_sheets
from lstmbench.report.sheets import Sheet
from lstmbench.report.speed import SpeedLine
from lstmbench.report.subjects import SubjectColumns
from lstmbench.report.summary import KeyFigure
from lstmbench.report.verdicts import ParityLine
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

TITLE = "LSTM inference: parity and speed"
FILES = (
    *("parity.csv", "latency.csv", "throughput.csv", "memory.csv", "requests.csv", "roofline.csv", "arrivals.csv"),
    *("baseline.csv", "prices.csv", "pytest-benchmark.json"),
)


class Document(NamedTuple):
    """Everything that a reader gets, in reading order."""

    title: str
    subjects: str
    place_and_time: str
    passed: bool
    verdict: str
    cautions: list[str]
    key_figures: list[KeyFigure]
    figures: Sequence[Figure]
    sheets: list[Sheet]
    machine: list[tuple[str, str]]
    how_to_read: tuple[str, ...]
    definitions: list[tuple[str, str]]
    files: tuple[str, ...]
    raw: tuple[str, ...]


def subjects_of(parity: Sequence[ParityLine], speed: Sequence[SpeedLine]) -> list[SubjectColumns]:
    """Every subject that the check or the clock saw."""
    return [line.subject for line in parity] + [line.subject for line in speed]


def _drift(recorded: Raw) -> list[Sheet]:
    lines = drift.drift_lines(recorded.drift)
    return [drift.sheet(lines)] if lines else []


def document(
    recorded: Raw, parity: Sequence[ParityLine], speed: Sequence[SpeedLine], noise: Noise, figures: Sequence[Figure]
) -> Document:
    """Put a report together."""
    machine = recorded.machine
    prices = priced(recorded, speed)
    exports = sorted({wording.export(subject) for subject in subjects_of(parity, speed)})
    return Document(
        title=TITLE,
        subjects=" · ".join(exports),
        place_and_time=summary.place_and_time(machine),
        passed=summary.passed(parity),
        verdict=summary.verdict(parity, speed),
        cautions=summary.cautions(machine, recorded.measurements),
        key_figures=summary.key_figures(parity, speed, noise, recorded.measurements),
        figures=figures,
        sheets=[
            *advice_sheets(advice(prices, noise.least)),
            *sheets.sheets(parity, speed, memory_lines(recorded.weights, speed)),
            *change_sheets(change_lines(recorded.changes, speed)),
            *request_sheets(request_lines(recorded.measurements, speed)),
            *price_sheets(prices),
            *roof_sheets(roof_lines(recorded.roofs, speed)),
            *evaluation_sheets(recorded.evaluations, recorded.parity),
            *arrival_sheets(arrival_lines(recorded.arrivals, recorded.parity)),
            *_drift(recorded),
            *probes.probe_sheets(recorded.probes),
        ],
        machine=summary.machine_facts(machine),
        how_to_read=definitions.HOW_TO_READ,
        definitions=definitions.definitions() + (definitions.probe_definitions() if recorded.probes else []),
        files=FILES,
        raw=(
            *(PARITY, MEASUREMENTS, *_where(MEMORY, recorded.weights), *_where(ROOFLINE, recorded.roofs)),
            *(*_where(COSTS, recorded.costs), *_where(INSTALLS, recorded.installs)),
            *_where(EVALUATIONS, recorded.evaluations),
            *(*_where(ARRIVALS, recorded.arrivals), *_where(PROBES, recorded.probes)),
            *(*_where(DRIFT, recorded.drift), *_where(BASELINE, recorded.changes), MACHINE),
        ),
    )


def _where(name: str, rows: Sequence[object]) -> tuple[str, ...]:
    """The file's name, where it has rows."""
    return (name,) if rows else ()
