"""The command line from outside: exit statuses, one line for what a user can mend, nothing heavy for --help."""

import errno
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from lstmbench import __version__, cli
from lstmbench.errors import LstmbenchError

HEAVY = ("torch", "onnxruntime", "pandas", "altair", "numpy", "tokenizers", "onnx")


def lstmbench(*arguments, cwd=None):
    command = [sys.executable, "-m", "lstmbench", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_help_loads_nothing_heavy():
    code = (
        "import sys, contextlib\n"
        "from lstmbench.cli import main\n"
        "sys.argv = ['lstmbench', '--help']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        f"print('loaded:', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "train" in shown.stdout
    assert shown.stdout.rstrip().endswith("loaded: []")


def test_the_version_is_the_packages():
    assert lstmbench("--version").stdout.strip() == f"lstmbench {__version__}"


@pytest.mark.torch
def test_a_line_that_the_user_can_mend_is_one_line_and_status_2(tmp_path):
    pytest.importorskip("torch")
    done = lstmbench("train", "m", "--corpus", "nowhere.txt", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "lstmbench: no corpus 'nowhere.txt': give a text file, a folder, or one of kjv, pydoc"
    ]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "m", "--batch", "0"),
        ("train", "m", "--peephole", "coupled"),
        ("train", "m", "--steps", "-1"),
        ("train", "m", "--steps", "5", "--epochs", "1"),
        ("train", "m", "--epochs", "0"),
        ("train", "m", "--learning-rate", "-1"),
        ("train", "m", "--dropout", "1"),
        ("train", "m", "--epochs", "inf"),
        ("train", "m", "--learning-rate", "inf"),
        ("train", "m", "--clip-norm", "nan"),
        ("train", "m", "--seed", "99999999999999999999"),
        ("train", "m", "--threads", "1000000"),
        ("train", "m", "--hidden", "0"),
        ("train", "m", "--hidden", "60000", "--layers", "40"),
        ("train", "m", "--unknown"),
        ("train", "m" * 300),
        ("train",),
        ("train", "a/b"),
        ("train", "m", "--tie-weights"),
        ("nonsense",),
    ],
)
@pytest.mark.torch
def test_impossible_flags_leave_with_2_and_one_line(tmp_path, arguments):
    pytest.importorskip("torch")
    done = lstmbench(*arguments, *(("--corpus", "pydoc") if arguments[1:] else ()), cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("raised", "status", "says"),
    [
        (LstmbenchError("mend\nthis"), 2, "lstmbench: mend this\n"),
        (KeyboardInterrupt(), 130, "lstmbench: interrupted"),
        (ZeroDivisionError(), 70, "lstmbench: this is a defect"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            2,
            "lstmbench: the output cannot be written: the disk is full",
        ),
    ],
)
def test_what_a_verb_raises_decides_the_status(raised, status, says):
    import typer

    app = typer.Typer(pretty_exceptions_enable=False)

    def fail() -> None:
        raise raised

    app.command()(cli._verb(fail))
    result = CliRunner().invoke(app, [])
    assert result.exit_code == status
    assert says in result.stderr


@pytest.mark.torch
def test_a_name_too_long_for_a_file_is_one_line(tmp_path):
    pytest.importorskip("torch")
    done = lstmbench("train", "m", "--corpus", "x" * 400, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr


def test_whoever_stops_reading_is_not_told_of_a_defect():
    code = (
        "from lstmbench import cli; import sys\n"
        "def fail() -> None: raise BrokenPipeError\n"
        "try: cli._verb(fail)()\n"
        "except Exception as error: print(error.exit_code, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "141"  # as a shell reports SIGPIPE


@pytest.mark.parametrize("arguments", [("report", "r" * 300), ("check", "--out", "o" * 300), ("generate", "m" * 300)])
def test_a_path_too_long_for_the_system_is_one_line(tmp_path, arguments):
    done = lstmbench(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_terminal_that_knows_ascii_only_still_gets_its_tables():
    code = "import sys; from lstmbench import cli\ncli.app = lambda **_: print('1×16 · ok')\ncli.main()"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1?16 ? ok\n", "")


def test_a_new_try_that_failed_is_told_although_the_tables_show_the_older_samples(capsys):
    from lstmbench.cli.bench import say_lost
    from lstmbench.records import Load, Measurement, Subject, Timing, Workload

    load = Load(at="2026-01-02T03:04:05+00:00", load_average=(0.1, 0.1, 0.1), cpu_mhz=None)
    times = {"warmup_s": (1.0,), "start_s": (0.0,), "sample_s": (1.0,), "rounds": (1,)}
    times |= {"steady": None, "wall_s": 1.0, "cpu_s": 1.0}
    kept = Timing(session=load, budget_s=0.5, fresh=True, spawn_s=1.0, load_s=1.0, **times)
    names = {"head": "lm", "peephole": "full", "form": "scan", "precision": "fp32"}
    digests = {"model_sha256": "ab" * 32, "code_sha256": "cd" * 32}
    subject = Subject(model="m/scan-fp32", runtime="torch", runtime_version="2", threads=1, **names, **digests)
    row = {"machine": "here", "subject": subject, "process": 0}
    work, other = (Workload(kind="score", batch=batch, time=4) for batch in (2, 3))
    say_lost(
        [
            Measurement(workload=work, timing=kept, **row),
            Measurement(workload=work, timing=None, refused="it crashed", **row),
            Measurement(workload=other, timing=None, refused="stands in the table", **row),
        ]
    )
    assert capsys.readouterr().err == "m/scan-fp32 on torch, score 2×4 keeps its older samples: it crashed\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--drift", "--bisect"], "--drift runs freely, --bisect looks for what the cases found: give one of them"),
        (["--steps", "50"], "--steps are those of a long run: give --drift with them"),
        (["a.onnx", "--drift"], "--drift, --batch and --time are for exports in model folders"),
    ],
)
def test_options_of_check_that_do_not_go_together_are_refused(options, message):
    done = lstmbench("check", *options)
    assert done.returncode == 2
    assert message in done.stderr
