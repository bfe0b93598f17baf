"""What a run's records claim is laid out without believing it; nothing in them becomes markup, a formula or a file."""

import json
import re
import shutil

import pytest
from damage import ESCAPES

from lstmbench.errors import DiskError, RecordError
from lstmbench.plain import plain
from lstmbench.records import Load
from lstmbench.report import raw, render, summary

EVIL = "<script>alert(1)</script></svg>\n# x [a](http://x)" + ESCAPES


@pytest.fixture
def run(base, tmp_path):
    """A run that a test may spoil."""
    shutil.copytree(base / "run", tmp_path / "run")
    return tmp_path / "run"


def change(path, **fields):
    """Change fields of a document, or of every line of a journal; `a__b` is b of a."""
    lines = path.read_bytes().splitlines() if path.suffix == ".jsonl" else [path.read_bytes()]
    documents = [json.loads(line) for line in lines]
    for document in documents:
        for name, value in fields.items():
            *holders, last = name.split("__")
            held = document
            for holder in holders:
                held = held[holder]
            held[last] = value(held[last]) if callable(value) else value
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))


def test_names_from_a_record_are_text_on_the_page_and_in_markdown(run):
    for file in ("parity.jsonl", "measurements.jsonl", "memory.jsonl", "roofline.jsonl", "arrivals.jsonl"):
        change(run / file, subject__model=EVIL, subject__runtime=EVIL, subject__placement=[])
    change(run / "machine.json", cpu=EVIL, system=EVIL, cores_usable=2)
    for file in ("measurements.jsonl", "memory.jsonl", "roofline.jsonl", "arrivals.jsonl"):
        change(run / file, machine=f"{EVIL} x2, {EVIL}")
    render(run)
    for file in ("index.html", "charts/parity-and-speed.svg"):
        text = (run / file).read_text()
        assert "<script" not in text
        assert "\x1b" not in text
    lines = (run / "report.md").read_text().splitlines()
    assert not any(line.startswith("# x") for line in lines)
    assert not any(re.search(r"(?<!\\)\]\(http", line) for line in lines)


@pytest.mark.parametrize("formula", ["=cmd|' /C calc'!A0", "@SUM(1)"])
def test_a_spreadsheet_gets_text_and_no_formula(run, formula):
    for file in ("parity.jsonl", "measurements.jsonl", "memory.jsonl", "roofline.jsonl", "arrivals.jsonl"):
        change(run / file, subject__model=formula)
    tables = render(run)
    for name in ("parity.csv", "latency.csv", "throughput.csv", "memory.csv"):
        text = (run / name).read_text()
        assert f"'{formula}" in text
        assert f"\n{formula}" not in text
    assert tables.parity["model"].str.startswith(formula).all()  # the frame holds what the record says


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("parity.jsonl", {"batch": 10**30}),
        ("parity.jsonl", {"max_error": None}),
        ("parity.jsonl", {"max_error": 5.0, "bound": 1.0}),
        ("parity.jsonl", {"bound": -1.0}),
        ("parity.jsonl", {"chunks": [-5, 10**30]}),
        ("measurements.jsonl", {"workload__time": 10**10}),
        ("measurements.jsonl", {"workload__batch": 2**53}),
        ("measurements.jsonl", {"timing__sample_s": lambda held: [5e-324] * len(held)}),
        ("measurements.jsonl", {"timing__sample_s": lambda held: [1e308] * len(held)}),
        ("measurements.jsonl", {"timing__rounds": lambda held: [*held, 10, -10]}),
        ("machine.json", {"memory_bytes": 10**400}),
    ],
)
def test_numbers_that_no_run_can_have_are_refused(run, file, fields):
    """Each of them but the first but one ended in a traceback, or in a report of a failure as a pass."""
    raw.read(run)
    change(run / file, **fields)
    with pytest.raises(RecordError, match="is damaged or was written by another version"):
        raw.read(run)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", EVIL, ""])
def test_a_moment_that_is_none_is_shown_as_it_was_written(at):
    assert summary.when(Load(at=at, load_average=(0, 0, 0), cpu_mhz=None)) == plain(at)


def test_a_long_name_is_cut(run):
    change(run / "parity.jsonl", subject__model="x" * 100_000)
    render(run)
    assert len((run / "report.md").read_text()) < 100_000


def test_charts_are_not_drawn_into_a_folder_elsewhere(run, tmp_path):
    """Files of these names were replaced there, and others of ours removed."""
    shutil.rmtree(run / "charts")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "decoding-by-batch.svg").write_text("mine")
    (run / "charts").symlink_to(tmp_path / "pictures")
    with pytest.raises(DiskError, match="is a link"):
        render(run)
    assert [file.name for file in (tmp_path / "pictures").iterdir()] == ["decoding-by-batch.svg"]
    assert (tmp_path / "pictures" / "decoding-by-batch.svg").read_text() == "mine"


def test_a_twin_whose_other_is_gone_is_no_pair(run):
    """A run that was killed, or cut, may hold one of two that belong together."""
    rows = (run / "measurements.jsonl").read_bytes().splitlines(keepends=True)
    twins = [row for row in rows if json.loads(row)["twin"]]
    assert 0 < len(twins) < len(rows)
    (run / "measurements.jsonl").write_bytes(b"".join(twins))
    render(run)
