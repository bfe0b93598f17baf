"""The main job from outside: train, export, check, bench, report, generate; then what goes wrong."""

import json
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("altair")

pytestmark = [pytest.mark.torch, pytest.mark.slow]
TEXT = "".join(f"{n} times 3 is {3 * n}.\n" for n in range(3000))


def lstmbench(*arguments, cwd):
    command = [sys.executable, "-m", "lstmbench", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    (folder / "table.txt").write_text(TEXT)
    done = lstmbench("run", "--corpus", "table.txt", "--hidden", "16", "--steps", "40", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    return folder


def test_a_run_ends_with_tables_and_a_page(home):
    shown = (home / "stdout.txt").read_text()
    assert "bits a character" in shown
    for runtime in ("numpy", "torch", "onnxruntime-cpu"):
        assert runtime in shown
    page = (home / "reports/run/index.html").read_text()
    assert "run-full" in page
    assert "run-diagonal" in page


def test_every_measured_subject_passed_its_check_first(home):
    parity = [json.loads(line) for line in (home / "reports/run/parity.jsonl").read_text().splitlines()]
    timed = [json.loads(line) for line in (home / "reports/run/measurements.jsonl").read_text().splitlines()]
    passed = {(row["subject"]["model_sha256"], row["subject"]["runtime"]) for row in parity if not row["reason"]}
    assert len(passed) == 6
    assert {(row["subject"]["model_sha256"], row["subject"]["runtime"]) for row in timed} == passed


def test_a_second_run_repeats_nothing(home):
    raw = ("reports/run/parity.jsonl", "reports/run/measurements.jsonl", "models/run-full/weights.safetensors")
    before = [(home / name).read_bytes() for name in raw]
    done = lstmbench("run", "--corpus", "table.txt", "--hidden", "16", "--steps", "40", cwd=home)
    assert done.returncode == 0, done.stderr
    assert [(home / name).read_bytes() for name in raw] == before


def test_a_report_is_rebuilt_from_the_raw_files_alone(home):
    derived = {path: path.read_bytes() for path in (home / "reports/run").rglob("*.svg")}
    assert derived
    for path in derived:
        path.unlink()
    assert lstmbench("report", cwd=home).returncode == 0
    assert {path: path.read_bytes() for path in derived} == derived


def test_what_is_not_trained_or_not_exported_is_left_out_and_named(home):
    (home / "models/young").mkdir()
    (home / "models/young/config.json").write_bytes((home / "models/run-full/config.json").read_bytes())
    try:
        done = lstmbench("check", "--out", "left-out", cwd=home)
        assert done.returncode == 0, done.stderr
        assert done.stderr.strip() == "models/young is left out: it holds no exports"
        done = lstmbench("export", cwd=home)
        assert done.returncode == 0, done.stderr
        assert done.stderr.strip() == "models/young is left out: it is not trained to its end"
        assert "run-full" in done.stdout
        done = lstmbench("export", "run-full", "young", cwd=home)
        assert done.returncode == 2
        assert "run-full" in done.stdout, "what was written is shown"
    finally:
        shutil.rmtree(home / "models/young")


def test_a_model_of_words_goes_on_from_the_prompt_with_a_space(home):
    options = ("--unit", "word", "--hidden", "4", "--embedding", "4", "--steps", "2", "--batch", "2", "--time", "4")
    assert lstmbench("train", "words", "--corpus", "table.txt", *options, "--models", "w", cwd=home).returncode == 0
    assert lstmbench("export", "--models", "w", cwd=home).returncode == 0
    done = lstmbench("generate", "words", "--models", "w", "--prompt", "7 times", "--tokens", "3", cwd=home)
    assert done.stdout.startswith("7 times "), done.stderr
    assert lstmbench("generate", "words", "--models", "w", "--tokens", "3", cwd=home).returncode == 0
    for prompt, says in ((" ", "no word"), ("", "empty")):
        done = lstmbench("generate", "words", "--models", "w", "--prompt", prompt, cwd=home)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert says in done.stderr


def test_nothing_is_written_where_the_second_runtime_is_missing(home):
    done = lstmbench("generate", "run-full", "--against", "bogus", cwd=home)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def without_the_reports_packages(*arguments, cwd):
    code = (
        "import sys; from lstmbench.report import extra; from lstmbench.cli import main\n"
        f"extra.PACKAGES = ('no_such_package',); sys.argv = ['lstmbench', *{arguments!r}]; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )


def test_a_box_without_the_reports_packages_is_measured_all_the_same(home):
    grid = ("--batch", "1", "--time", "2", "--seconds", "0.01", "--runtime", "numpy")
    done = without_the_reports_packages("bench", "run-full", *grid, "--out", "bare", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "pip install 'lstmbench[report]'" in done.stdout
    assert (home / "bare/measurements.jsonl").exists()
    assert not (home / "bare/index.html").exists()
    assert lstmbench("report", "bare", cwd=home).returncode == 0
    assert (home / "bare/index.html").exists()


def test_an_earlier_run_is_timed_again_beside_what_is_made_now(home):
    """Of two processes nothing can be told, and that is said; a kept file of other bytes is no baseline."""
    shutil.copytree(home / "models", home / "good")
    grid = ("--batch", "1", "--time", "2", "--seconds", "0.01", "--runtime", "numpy", "--processes", "2")
    beside = ("bench", "run-full", *grid, "--baseline", "reports/run", "--baseline-models", "good", "--out", "beside")
    done = lstmbench(*beside, "--fail", "p50:5%", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "2 cannot tell" in done.stdout
    assert done.stderr.startswith("cannot tell of 2 of 2 whether the limit of --fail is kept")
    lines = (home / "beside/measurements.jsonl").read_text().splitlines()
    timed = {json.loads(line)["subject"]["model"] for line in lines}
    assert timed == {"run-full/scan-fp32", "baseline/run-full/scan-fp32"}
    (home / "good/run-full/scan-fp32.json").unlink()
    done = lstmbench(*beside, cwd=home)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not the file that reports/run timed" in done.stderr
    for options in (("--fail", "p50:5%"), ("--baseline", "beside", "--out", "beside")):
        done = lstmbench("bench", "run-full", *grid, *options, cwd=home)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("verb", ["run", "study"])
def test_what_ends_in_a_report_says_first_that_it_cannot_be_drawn(home, verb):
    done = without_the_reports_packages(verb, "--corpus", "table.txt", "--models", "none", "--out", "none", cwd=home)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "lstmbench[report]" in done.stderr
    assert not (home / "none").exists()


def test_the_same_seed_gives_the_same_text_on_torch_and_onnxruntime(home):
    arguments = ("generate", "run-full", "--prompt", "7 times", "--tokens", "60", "--seed", "3")
    done = lstmbench(*arguments, "--runtime", "torch", "--against", "onnxruntime-cpu", cwd=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("7 times")
    assert "drew the same 60 tokens" in done.stderr or "within rounding of an edge" in done.stderr
    assert "NOT within rounding" not in done.stderr


def test_a_graph_that_draws_writes_the_same_text_and_is_checked_and_timed(home):
    shutil.copytree(home / "models", home / "drawing")
    (home / "drawing/run-full/scan-fp32.json").rename(home / "scan.json")
    where = ("run-full", "--models", "drawing")
    done = lstmbench("export", *where, "--form", "generate", cwd=home)
    assert done.returncode == 0, done.stderr
    text = ("--prompt", "7 times", "--tokens", "60", "--seed", "3")
    drawn = lstmbench("generate", *where, *text, "--against", "torch", cwd=home)
    assert "drew the same 60 tokens; steps within" in drawn.stderr or "within rounding of an edge" in drawn.stderr
    assert drawn.stdout == lstmbench("generate", "run-full", *text, cwd=home).stdout
    (home / "scan.json").rename(home / "drawing/run-full/scan-fp32.json")
    assert lstmbench("generate", *where, *text, "--form", "generate", cwd=home).stdout == drawn.stdout
    done = lstmbench("generate", *where, "--form", "loop", cwd=home)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "no export of --form loop that writes text; there are generate-fp32, scan-fp32: make it" in done.stderr
    grid = ("--batch", "2", "--time", "3", "--seconds", "0.01", "--runtime", "numpy", "--runtime", "onnxruntime-cpu")
    done = lstmbench("bench", *where, *grid, "--out", "drawn", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "Generating in the graph, one call of T tokens a row: latency, tokens a second" in done.stdout
    assert "Generating: latency and throughput of one call" in (home / "drawn/index.html").read_text()


def test_unknown_characters_in_a_prompt_are_one_line(home):
    done = lstmbench("generate", "run-full", "--prompt", "zéro€", cwd=home)
    assert done.returncode == 2
    assert "never seen" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_changed_onnx_file_is_refused_in_one_line(home):
    path = home / "models/run-diagonal/lstm-fp32.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    try:
        for verb in ("check", "bench"):
            done = lstmbench(verb, "run-diagonal", "--out", "other", cwd=home)
            assert done.returncode == 2, done.stdout
            assert done.stderr.splitlines() == [
                f"lstmbench: {path.relative_to(home)} was changed since it was exported; export again with --force"
            ]
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("export", "nobody"), "no model 'nobody'"),
        (("export", "run-full", "--form", "lstm"), "cannot hold the cell 'full'"),
        (("export", "run-full", "--form", "generate", "--head", "layer"), "bare layers have none: take head 'lm'"),
        (("check", "run-full", "--runtime", "tensorrt"), "no runtime named 'tensorrt'"),
        (("bench", "run-full", "--batch", "0", "--time", "4"), "B = 0"),
        (("bench", "run-full", "--batch", "2"), "--batch and --time together"),
        (("report", "nowhere"), "nowhere"),
    ],
)
def test_bad_requests_are_one_line(home, arguments, says):
    done = lstmbench(*arguments, cwd=home)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
