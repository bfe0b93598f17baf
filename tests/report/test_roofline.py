"""Shares of the machine's bounds stand beside the parity that vouches for them."""

import pytest

from lstmbench import disk
from lstmbench.records import Roof
from lstmbench.report import frames, render
from lstmbench.report.roofline import roof_lines
from lstmbench.report.speed import speed_lines


def lines(make, *, reason="", p50_ms=1000.0, **changes):
    """Of a row whose median is a second, on a machine that does eight operations in it and reads eight bytes."""
    of = make.subject()
    row = make.measured(of)
    known = {"operations": 4, "weight_bytes": 2**20, "read_bytes": 6, "operations_per_s": 8e0, "bytes_per_s": 8e0}
    speed = speed_lines([row], make.vouching(make.checked(of), [row]))
    if reason:
        speed = [line._replace(refused=reason) for line in speed]
    roof = Roof(machine="m", subject=of, workload=row.workload, **known | changes)
    (line,) = roof_lines([roof], [line._replace(p50_ms=p50_ms) for line in speed])
    return line


def test_a_share_is_what_was_needed_over_what_was_possible(make):
    line = lines(make)
    assert (line.of_products, line.of_reading, line.limited_by) == (0.5, 0.75, "reading")
    assert line.max_error is not None
    assert lines(make, operations=7).limited_by == "products"


def test_rounded_weights_have_no_peak_of_products(make):
    line = lines(make, in_float32=False)
    assert (line.of_products, line.of_reading, line.limited_by) == (None, 0.75, "reading")
    assert lines(make, in_float32=False, operations=7).limited_by == ""


def test_where_the_median_is_not_told_no_share_is(make):
    line = lines(make, p50_ms=None)
    assert (line.of_products, line.of_reading, line.limited_by, line.refused) == (None, None, "", "")
    assert line.mflop == 4e-6


@pytest.mark.parametrize("changes", [{"reason": "wrong answer"}, {"refused": "no memory"}])
def test_no_speed_or_no_rate_no_number(make, changes):
    line = lines(make, **changes)
    assert line.refused in changes.values()
    assert (line.of_products, line.of_reading, line.mflop) == (None, None, None)


@pytest.mark.parametrize(
    ("runtime", "device"), [("onnxruntime-cuda", ""), ("theirs", "GPU"), ("onnxruntime-webgpu==1", "")]
)
def test_what_a_device_computes_stands_beside_no_peak_of_the_host(make, runtime, device):
    of = make.subject(runtime, placement=(), device=device)
    row = make.measured(of)
    rates = {"operations_per_s": 8.0, "bytes_per_s": 9.0, "operations": 4, "read_bytes": 4, "weight_bytes": 10}
    roof = Roof(machine="m", subject=of, workload=row.workload, **rates)
    (line,) = roof_lines([roof], speed_lines([row], make.vouching(make.checked(of), [row])))
    assert (line.of_products, line.of_reading, line.limited_by) == (None, None, "n/a (measured on the host)")
    assert line.mflop == 4e-6


def test_a_rate_of_nothing_is_no_record(make):
    with pytest.raises(ValueError, match="rates over zero"):
        lines(make, bytes_per_s=0.0)


def test_the_best_rates_of_the_run_count_for_all_of_it(make):
    """Of as many threads, and of as many bytes: what else the machine did can only make one lower."""
    of = make.subject()
    row = make.measured(of)
    speed = speed_lines([row], make.vouching(make.checked(of), [row]))
    known = {"machine": "m", "workload": row.workload, "operations": 4, "read_bytes": 4}
    slow = Roof(subject=of, weight_bytes=10, operations_per_s=1.0, bytes_per_s=2.0, **known)
    quick = Roof(subject=make.subject("torch"), weight_bytes=11, operations_per_s=8.0, bytes_per_s=9.0, **known)
    many = Roof(
        subject=make.subject("torch", threads=2), weight_bytes=10, operations_per_s=99.0, bytes_per_s=99.0, **known
    )
    (line,) = roof_lines([slow, quick, many], [line._replace(p50_ms=1000.0) for line in speed])
    assert (line.of_products, line.of_reading) == (4 / 8, 4 / 2)


def test_the_page_has_it(make, tmp_path):
    of = make.subject()
    row = make.measured(of)
    run = make.write(tmp_path / "run", parity_rows=make.checked(of), measurements=[row])
    rates = {"operations": 10, "weight_bytes": 1, "read_bytes": 1, "operations_per_s": 1e12, "bytes_per_s": 1e12}
    roof = Roof(machine=make.machine().fingerprint, subject=of, workload=row.workload, **rates)
    disk.append_record(run / "roofline.jsonl", roof)
    render(run)
    assert "## Roofline: the share of what this machine can do" in (run / "report.md").read_text()
    assert frames(run)["roofline"]["limited_by"][0] in {"products", "reading"}
    assert len((run / "roofline.csv").read_text().splitlines()) == 2
