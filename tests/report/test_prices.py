"""What speed costs, and what to take: nothing unchecked, nothing dearer than allowed, no winner of a tie."""

import pytest
from msgspec.structs import replace

from lstmbench import disk
from lstmbench.records import Cost, Install, Quality
from lstmbench.report import advice_tables, frames, render
from lstmbench.report.advice import advice, advice_sheets
from lstmbench.report.prices import PriceLine, price_lines, price_sheets
from lstmbench.report.prices import priced as priced_of
from lstmbench.report.raw import Raw
from lstmbench.report.speed import speed_lines
from lstmbench.report.subjects import columns

LITTLE = Quality(relative_error=0.1, tokens=9, perplexity=3.0, perplexity_change=0.001, perplexity_change_at_most=0.002)


@pytest.fixture
def priced(make):
    """A line of one export and runtime."""

    def priced(form="lstm", precision="fp32", p50_ms=2.0, *, loss=0.0, runtime="onnxruntime-cpu", **changes):
        export = {"model": f"m/{form}-{precision}", "form": form, "precision": precision}
        subject = columns(make.subject(runtime, "diagonal", **export))
        fields = {"workload": "score", "batch": 1, "time": 64, "tokens_per_s": 64e3 / p50_ms, "memory_mib": 50.0}
        fields |= {"p50_ms": p50_ms, "error_to_bound": 0.5, "loss": loss} | changes
        return PriceLine(subject=subject, **fields)

    return priced


def told(lines, target, most_loss, *, least=0.05):
    (found,) = [a for a in advice(lines, least) if a.target.startswith(target) and a.most_loss == most_loss]
    return found


def test_a_price_is_only_of_what_was_checked_and_ran_where_its_name_says(make):
    good, wrong = make.subject("onnxruntime-cpu"), make.subject("torch")
    mixed = make.subject("onnxruntime-cuda", provider="CUDAExecutionProvider")
    rows = [make.measured(of) for of in (good, wrong, mixed)]
    parity = [*make.checked(good), *make.checked(wrong, reason=make.out_of_bound, error=0.25), *make.checked(mixed)]
    speed = speed_lines(rows, make.vouching(parity, rows))
    assert len(speed) == 3
    assert [line.subject for line in price_lines(speed, [], [])] == [columns(good)]


def test_the_loss_is_what_the_record_says_at_most_and_float32_loses_nothing(make):
    exact, rounded = make.subject(), make.subject(model="kjv-full/scan-int8", precision="int8")
    rows = [make.measured(exact), make.measured(rounded)]
    speed = speed_lines(rows, make.vouching([*make.checked(exact), *make.checked(rounded)], rows))
    cost = Cost(model=rounded.model, model_sha256=rounded.model_sha256, quality=LITTLE)
    of = {line.subject.precision: line.loss for line in price_lines(speed, [], [cost])}
    assert of == {"fp32": 0.0, "int8": 0.002}
    unknown = {line.subject.precision: line.loss for line in price_lines(speed, [], [])}
    assert unknown == {"fp32": 0.0, "int8": None}


def test_a_cost_of_an_older_file_of_that_name_does_not_count(make):
    rounded = make.subject(model="kjv-full/scan-int8", precision="int8")
    row = make.measured(rounded)
    speed = speed_lines([row], make.vouching(make.checked(rounded), [row]))
    cost = Cost(model=rounded.model, model_sha256="ef" * 32, quality=Quality(relative_error=0.1))
    recorded = Raw(make.machine(), (), (row,), costs=(cost,))
    (line,) = priced_of(recorded, speed)
    assert line.loss is None
    (line,) = priced_of(recorded._replace(costs=(replace(cost, model_sha256=rounded.model_sha256),)), speed)
    assert line.loss == 0.1


def test_the_fastest_is_taken_with_nothing_given_up_and_with_something(priced):
    lines = [priced(), priced(precision="int8", p50_ms=1.0, loss=0.004), priced(precision="int4", p50_ms=0.5, loss=0.2)]
    assert told(lines, "latency", 0.0).best.subject.precision == "fp32"
    assert told(lines, "latency", 0.01).best.subject.precision == "int8"
    assert told(lines, "latency", 0.01).figure == "1.00 ms"


def test_what_noise_hides_is_a_tie_and_the_least_loss_leads_it(priced):
    lines = [priced(p50_ms=1.04), priced(precision="int8", p50_ms=1.0, loss=0.004), priced("scan", p50_ms=1.2)]
    found = told(lines, "latency", 0.01)
    assert (found.best.subject.precision, [line.subject.precision for line in found.tied]) == ("fp32", ["int8"])
    assert told(lines, "latency", 0.01, least=0.01).best.subject.precision == "int8"


def test_without_a_noise_floor_no_speed_is_advised(priced):
    found = advice([priced(), priced("scan", p50_ms=9.0)], None)
    assert {one.target.split()[0] for one in found if one.best} == {"memory"}
    assert {one.figure for one in found if not one.best} == {"cannot tell: fewer than six processes"}
    assert {row.values for row in advice_sheets(found)[0].rows if "cannot" in row.values[0]} == {
        ("cannot tell: fewer than six processes", "n/a", "n/a", "n/a")
    }


def test_where_everything_gives_something_up_nothing_is_named_without_a_loss(priced):
    found = told([priced(precision="int8", loss=0.004), priced("scan", precision="int8", loss=0.005)], "latency", 0.0)
    assert (found.best, found.figure) == (None, "nothing that was timed")


def test_a_loss_that_is_not_known_is_never_advised(priced):
    lines = [priced(), priced("scan"), priced(precision="int8", p50_ms=0.1, loss=None)]
    assert all(one.best.subject.precision == "fp32" for one in advice(lines, 0.05) if one.best)


def test_an_install_is_that_of_the_very_version_and_the_smallest_is_named(make, priced):
    subject = make.subject("onnxruntime-cpu")
    row = make.measured(subject)
    speed = speed_lines([row], make.vouching(make.checked(subject), [row]))
    install = Install(
        runtime=subject.runtime, runtime_version=subject.runtime_version, packages=("numpy",), bytes=135_000_000
    )
    assert [line.install_mb for line in price_lines(speed, [], [], [install])] == [135.0]
    for other in (replace(install, runtime_version="0"), replace(install, device="software adapter")):
        assert [line.install_mb for line in price_lines(speed, [], [], [other])] == [None]
    found = told(
        [priced(install_mb=135.0), priced("scan", install_mb=92.5, runtime="tract-cpu"), priced()], "install", 0.0
    )
    assert (found.best.subject.runtime, found.figure, found.tied) == ("tract-cpu", "92.5 MB", ())


def test_numpys_reference_is_no_engine_to_take(priced):
    lines = [priced(), priced("scan"), priced(p50_ms=0.1, memory_mib=1.0, runtime="numpy")]
    assert all(one.best.subject.runtime == "onnxruntime-cpu" for one in advice(lines, 0.05))


def test_throughput_is_of_any_batch_and_latency_of_the_smallest(priced):
    large = priced(p50_ms=4.0, batch=32, tokens_per_s=512e3)
    lines = [priced(), large, priced("scan", p50_ms=3.0)]
    assert told(lines, "latency", 0.0).best.batch == 1
    assert told(lines, "throughput", 0.0).best == large
    assert "at B = 32, T = 64" in told(lines, "throughput", 0.0).figure


def test_models_are_advised_one_by_one_and_one_case_is_no_choice(priced, make):
    other = priced()._replace(subject=columns(make.subject("onnxruntime-cpu", model="other/scan-fp32")))
    assert {one.folder for one in advice([priced(), priced("scan"), other], 0.05)} == {"m"}
    assert price_sheets([other]) == []


def test_the_page_holds_the_list_the_advice_and_the_chart(make, tmp_path):
    exact = make.subject("onnxruntime-cpu", "diagonal")
    rounded = make.subject("onnxruntime-cpu", "diagonal", model="kjv-diagonal/lstm-int8", precision="int8")
    rows = [make.measured(of, process=n, batch=b) for of in (exact, rounded) for n in range(6) for b in (1, 8)]
    run = make.write(tmp_path / "run", parity_rows=[*make.checked(exact), *make.checked(rounded)], measurements=rows)
    disk.append_record(
        run / "costs.jsonl", Cost(model=rounded.model, model_sha256=rounded.model_sha256, quality=LITTLE)
    )
    render(run)
    text = (run / "report.md").read_text()
    assert "## Price list: speed, loss and memory" in text
    assert "+0.20 %" in text
    table = frames(run)["prices"]
    assert table[table["precision"] == "int8"]["loss"].tolist() == [0.002] * 2
    assert "0.002" in (run / "prices.csv").read_text()
    assert (run / "charts/latency-against-throughput.png").stat().st_size > 1000
    (table,) = advice_tables(run)  # no twin, so no floor
    assert {row[2] for row in table.rows} == {"cannot tell: fewer than six processes"}
