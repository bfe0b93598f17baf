"""What runtimes take before they are of any use: a table of sizes and of cold starts."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from lstmbench import disk
from lstmbench.records import RuntimeCost, labelled
from lstmbench.report import summary
from lstmbench.report.markdown import escape, table
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.wording import NOT_AVAILABLE

COSTS, PAGE = "costs.jsonl", "costs.md"
_WHERE = {"here": "here", "environment": "apart"}  # apart: in an environment of its own
_KEYS = ("runtime", "version", "where")
_VALUES = ("disk MB", "download MB", "load s", "call ms", "cold start s", "from", "to")
_NOTE = (
    "One step (H = 128), medians of the processes; from and to are the least and the most. Of packages of npm the disk "
    "is what lies in node_modules; Node.js and Chromium are the system's, and not counted."
)


def cost_sheet(found: Sequence[RuntimeCost]) -> Sheet:
    """A line a runtime, in the order in which they are given."""
    title = "Install, and cold start: import, load and first call"
    return Sheet("costs", "Costs", title, _NOTE, _KEYS, _VALUES, tuple(map(_row, found)))


def write_costs(folder: Path, found: Sequence[RuntimeCost]) -> Path:
    """Write the records, and beside them the table in Markdown; OSErrors as `disk` has them."""
    disk.make_folder(folder)
    disk.write_journal(folder / COSTS, found)
    sheet = cost_sheet(found)
    lines = [f"# {sheet.title}", "", *(f"Machine: {escape(summary.place_and_time(one.machine))}" for one in found[:1])]
    lines += ["", escape(sheet.note), "", *table(sheet), "", *(f"- {escape(why)}" for why in refusals(found))]
    disk.write_atomically(folder / PAGE, ("\n".join(lines).rstrip() + "\n").encode())
    return folder / PAGE


def refusals(found: Iterable[RuntimeCost]) -> list[str]:
    """Why a line bears no time."""
    return [f"{one.runtime} {one.version}: {one.refused}" for one in found if one.refused]


def _row(one: RuntimeCost) -> Row:
    load_s = [start.load_s for start in one.starts]
    call_s = [start.first_call_s for start in one.starts]
    cold_s = [load + call for load, call in zip(load_s, call_s, strict=True)]
    sizes = map(_megabytes, (one.install_bytes, one.download_bytes))
    ends = (f"{end(cold_s):.2f}" if cold_s else NOT_AVAILABLE for end in (min, max))
    times = (_median(load_s, "{:.2f}"), _median([s * 1e3 for s in call_s], "{:.1f}"), _median(cold_s, "{:.2f}"))
    keys = (one.runtime, labelled(one.version, one.device), _WHERE[one.where])
    return Row(keys, (*sizes, *times, *ends))


def _megabytes(size_bytes: int | None) -> str:
    return NOT_AVAILABLE if size_bytes is None else f"{size_bytes / 1e6:,.0f}"


def _median(values: Sequence[float], as_text: str) -> str:
    return as_text.format(median(values)) if values else NOT_AVAILABLE
