"""What is derived can be made again from the raw files, to the byte, and nothing else is touched."""

import csv
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from lstmbench import disk
from lstmbench.errors import DiskError, RecordError, RuntimeMissingError
from lstmbench.report import extra, render, terminal_tables

for package in extra.PACKAGES:
    pytest.importorskip(package)

RAW = {"machine.json", "parity.jsonl", "measurements.jsonl"}
CHARTS = {
    "parity-and-speed",
    "scoring-latency-by-batch",
    "scoring-throughput-by-batch",
    "scoring-latency-by-length",
    "scoring-throughput-by-length",
    "decoding-by-batch",
    "latency-against-throughput",
}


def derived(run):
    files = {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    return {name: data for name, data in files.items() if name not in RAW}


def small(make, run, **changes):
    of = make.subject()
    return make.write(run, **{"parity_rows": make.checked(of), "measurements": [make.measured(of)]} | changes)


def test_every_form_is_written_and_nothing_else(rendered):
    charts = {f"charts/{name}.{suffix}" for name in CHARTS for suffix in ("svg", "png")}
    names = ("parity", "latency", "throughput", "memory", "requests", "roofline", "arrivals", "baseline", "prices")
    tables = {*(f"{name}.csv" for name in names), "pytest-benchmark.json"}
    assert set(derived(rendered)) == {*tables, "report.md", "index.html", *charts}


def test_the_same_raw_files_make_the_same_bytes_in_another_folder(rendered, tmp_path):
    for name in RAW:
        shutil.copy(rendered / name, tmp_path)
    done = render(tmp_path)
    assert derived(tmp_path) == derived(rendered)
    assert {str(path.relative_to(tmp_path)) for path in done.paths} == set(derived(rendered))
    assert (len(done.parity), len(done.latency), len(done.throughput)) == (15, 32, 32)


def test_raw_files_are_left_as_they_were(make, tmp_path):
    run = small(make, tmp_path)
    before = {name: (run / name).read_bytes() for name in RAW}
    render(run)
    assert {name: (run / name).read_bytes() for name in RAW} == before


def test_pictures_are_pictures(rendered):
    for path in (rendered / "charts").glob("*.png"):
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", data[16:24])
        assert 600 < width < 4000
        assert 300 < height < 4000


def test_drawings_are_whole_xml_that_refers_to_nothing_outside(rendered):
    for path in (rendered / "charts").glob("*.svg"):
        root = ET.fromstring(path.read_text())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        for element in root.iter():
            assert not any("href" in name for name in element.attrib)
            assert all("url(" not in value or "url(#" in value for value in element.attrib.values())


def test_drawings_name_every_series(rendered):
    text = (rendered / "charts" / "scoring-latency-by-batch.svg").read_text()
    for cell in ("full", "diagonal"):
        for runtime in ("numpy", "onnxruntime-cpu"):
            assert f"{runtime} · {cell}" in text
    assert "torch" not in text  # failed and unchecked: no line may be drawn


def test_tables_in_csv_say_what_cannot_be_told(rendered):
    with (rendered / "latency.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 32
    assert sum(bool(row["refused"]) for row in rows) == 9
    for row in rows:
        few = int(row["samples"]) < 459
        assert (row["p99_ms"] == "n/a") == few
        assert (row["p50_ms"] == "n/a") == bool(row["refused"])
        assert "" not in {value for name, value in row.items() if name not in {"refused", "remarks"}}


def test_one_shape_has_no_lines_to_draw_but_is_reported(make, tmp_path):
    render(small(make, tmp_path))
    assert {path.stem for path in (tmp_path / "charts").iterdir()} == {"parity-and-speed"}
    assert "kjv-full/scan-fp32" in (tmp_path / "index.html").read_text()


def test_a_run_in_which_all_is_refused_is_reported(make, tmp_path):
    of = make.subject("torch", runtime_version="")
    rows = [
        make.parity(of, output, error=None, got=None, want=None, worst_index=(), reason=make.crashed)
        for output in ("logits", "h_n", "c_n")
    ]
    run = make.write(tmp_path, parity_rows=rows, measurements=[make.measured(of, refused=make.crashed)])
    render(run)
    assert "3 of 3 outputs failed the check" in (run / "index.html").read_text()


def test_exact_agreement_can_be_drawn(make, tmp_path):
    of = make.subject()
    rows = make.checked(of, error=0.0, float32_error=0.0, bound=0.0)
    render(small(make, tmp_path, parity_rows=rows))


def test_charts_of_an_earlier_run_go_and_what_else_lies_there_stays(make, tmp_path):
    run = small(make, tmp_path)
    (run / "charts").mkdir()
    (run / "charts" / "decoding-by-batch.svg").write_text("stale")
    (run / "charts" / "mine.svg").write_text("mine")
    render(run)
    assert {path.name for path in (run / "charts").iterdir()} == {
        "parity-and-speed.svg",
        "parity-and-speed.png",
        "mine.svg",
    }


def test_nothing_is_written_from_damaged_files(make, tmp_path):
    run = small(make, tmp_path)
    (run / "parity.jsonl").write_text("{}\n")
    with pytest.raises(RecordError):
        render(run)
    assert derived(run) == {}


def test_a_folder_that_cannot_take_charts_is_one_line(make, tmp_path):
    run = small(make, tmp_path)
    (run / "charts").write_text("a file stands here")
    with pytest.raises(DiskError, match="a file stands where a folder is needed"):
        render(run)


def test_a_torn_last_line_does_not_stop_the_report(make, tmp_path):
    run = small(make, tmp_path)
    with (run / "measurements.jsonl").open("ab") as file:
        file.write(b'{"schema":"lstmbench.meas')
    assert len(render(run).latency) == 1


def test_a_missing_extra_is_one_line_when_a_report_is_asked_for(make, tmp_path, monkeypatch):
    run = small(make, tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(
        RuntimeMissingError, match=r"^the report needs the extra 'report': pip install 'lstmbench\[report\]'$"
    ):
        render(run)
    assert derived(run) == {}
    assert terminal_tables(run)  # plain text needs none


def test_importing_the_package_loads_no_heavy_library():
    heavy = ["pandas", "altair", "jinja2", "vl_convert", "torch", "onnxruntime"]
    code = f"import sys, lstmbench.report; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_journal_that_grows_changes_the_report(make, tmp_path):
    run = small(make, tmp_path)
    render(run)
    before = (run / "latency.csv").read_bytes()
    disk.append_record(run / "measurements.jsonl", make.measured(make.subject(), batch=8))
    render(run)
    assert len((run / "latency.csv").read_bytes()) > len(before)
