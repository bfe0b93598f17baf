"""What `bench --baseline` found, kept in `baseline.jsonl`, as lines for the page and for DataFrames."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from lstmbench import disk
from lstmbench.records import ChangeRow
from lstmbench.report import wording
from lstmbench.report.baseline import Change, row
from lstmbench.report.sheets import Row, Sheet, workload_keys
from lstmbench.report.speed import SpeedLine
from lstmbench.report.subjects import SubjectColumns, columns, key
from lstmbench.runfolder import BASELINE

_NOTE = (
    "Times over those of an earlier run, whose exports were timed again, in turn with these. The intervals hold "
    "together at 99 %. A tie leaves no difference open that is as large as the limit, or 5 % without one; what cannot "
    "be told breaks no limit."
)


class ChangeLine(NamedTuple):
    """One quantile of one pair; numbers are absent where the samples do not carry them."""

    subject: SubjectColumns
    workload: str
    batch: int
    time: int
    new: int | None
    shortest: int | None
    region: str
    before: str  # the export that it is held against
    quantile: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    floor: float | None
    limit: float | None
    verdict: str
    over: bool | None


def keep(run: Path, changes: Iterable[Change], machine: str) -> None:
    """Write them, in place of those of an earlier comparison."""
    disk.write_journal(run / BASELINE, [row(change, machine) for change in changes])


def change_lines(rows: Iterable[ChangeRow], speed: Sequence[SpeedLine]) -> list[ChangeLine]:
    """In the order in which they were told; nothing of what was made again or is vouched for no more."""
    vouched = {line.key for line in speed if not line.refused}
    return [
        ChangeLine(
            *key(one.after, one.workload),
            before=wording.export(columns(one.before)).removeprefix("baseline/"),
            quantile=one.quantile,
            ratio=one.ratio,
            ratio_low=one.low,
            ratio_high=one.high,
            floor=one.floor,
            limit=one.limit,
            verdict=one.verdict,
            over=one.over,
        )
        for one in rows
        if key(one.after, one.workload) in vouched
    ]


def change_sheets(lines: Sequence[ChangeLine]) -> list[Sheet]:
    """The table, where there is anything in it."""
    keys = ("Workload", "B", "T", "Model / form", "Runtime", "Threads", "Before")
    values = ("Quantile", "Change", "99 % interval", "Limit", "Verdict")
    rows = tuple(map(_row, lines))
    return [Sheet("baseline", "Baseline", "Beside the baseline", _NOTE, keys, values, rows)] if rows else []


def _row(line: ChangeLine) -> Row:
    values = (
        f"p{100 * line.quantile:g}",
        _percent(line.ratio),
        f"{_percent(line.ratio_low)} to {_percent(line.ratio_high)}",
        wording.NOT_AVAILABLE if line.limit is None else f"{100 * line.limit:g} %",
        f"{line.verdict}, over the limit" if line.over else line.verdict,
    )
    return Row((*workload_keys(line[:7]), line.before), values, bad=("Verdict",) if line.over else ())


def _percent(ratio: float | None) -> str:
    return wording.NOT_AVAILABLE if ratio is None else f"{100 * (ratio - 1):+.1f} %"
