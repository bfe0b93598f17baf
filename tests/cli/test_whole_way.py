"""The main job from outside: train, export, check, bench, report, generate; then what goes wrong."""

import json
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


def test_the_same_seed_gives_the_same_text_on_torch_and_onnxruntime(home):
    arguments = ("generate", "run-full", "--prompt", "7 times", "--tokens", "60", "--seed", "3")
    done = lstmbench(*arguments, "--runtime", "torch", "--against", "onnxruntime-cpu", cwd=home)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("7 times")
    assert "drew the same 60 tokens" in done.stderr or "within rounding of an edge" in done.stderr
    assert "NOT within rounding" not in done.stderr


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
                "lstmbench: models/run-diagonal/lstm-fp32.onnx was changed since it was exported; export again"
            ]
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("export", "nobody"), "no model 'nobody'"),
        (("export", "run-full", "--form", "lstm"), "cannot hold the cell 'full'"),
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
