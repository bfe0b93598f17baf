"""The command line from outside: exit statuses, one line for what a user can mend, nothing heavy for --help."""

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
    assert shown.stdout.rstrip().endswith("loaded: ['numpy']"), "only records' array types may load"


def test_the_version_is_the_packages():
    assert lstmbench("--version").stdout.strip() == f"lstmbench {__version__}"


def test_a_line_that_the_user_can_mend_is_one_line_and_status_2(tmp_path):
    done = lstmbench("train", "m", "--corpus", "nowhere.txt", cwd=tmp_path)
    if "extra 'torch'" in done.stderr:
        pytest.skip("torch is not installed")
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
        ("train", "a/b"),
        ("train", "m", "--tie-weights"),
        ("nonsense",),
    ],
)
@pytest.mark.torch
def test_impossible_flags_leave_with_2_and_no_traceback(tmp_path, arguments):
    pytest.importorskip("torch")
    done = lstmbench(*arguments, *(("--corpus", "pydoc") if arguments[0] == "train" else ()), cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("raised", "status", "says"),
    [
        (LstmbenchError("mend\nthis"), 2, "lstmbench: mend this\n"),
        (KeyboardInterrupt(), 130, "lstmbench: interrupted"),
        (ZeroDivisionError(), 70, "lstmbench: this is a defect"),
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
