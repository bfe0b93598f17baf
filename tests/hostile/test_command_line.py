"""The same through the real command line: one line, exit status 2, and nothing that a terminal obeys."""

import contextlib
import shutil

import damage
import pytest
from entries import KINDS, nothing_opened_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmbench import cli, disk
from lstmbench.cli import screen
from lstmbench.corpus import Vocabulary
from lstmbench.model import folder

ON = ["--runtime", "onnxruntime-cpu", "--out", "run"]
VERBS = {
    "export": (["export", "m", "--form", "loop"], ["config", "weights", "letters"]),
    "inspect": (["inspect", "models/m/scan-fp32.onnx"], ["graph with data", "data", "record with data"]),
    "inspect --json": (["inspect", "models/m/lstm-fp32.onnx", "--json"], ["graph", "export record"]),
    "check": (["check", "m", *ON], ["config", "export record", "graph", "data", "parity, gone on with"]),
    "bench": (
        ["bench", "m", *ON, "--batch", "1", "--time", "3", "--seconds", "0.01"],
        ["measurements, gone on with", "machine, gone on with", "weights"],
    ),
    "generate": (["generate", "m", "--tokens", "3"], ["letters", "export record", "graph", "config"]),
    "report": (["report", "run"], ["parity, reported", "measurements, reported", "machine, reported"]),
}


def called(monkeypatch, capfd, arguments):
    """The exit status, stdout and stderr of one command."""
    monkeypatch.setattr("sys.argv", ["lstmbench", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return (left.value.code or 0, *capfd.readouterr())


@pytest.mark.parametrize("verb", VERBS)
def test_a_spoilt_file_is_one_line_and_exit_status_2(base, tmp_path, monkeypatch, capfd, verb):
    arguments, kinds = VERBS[verb]

    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(data=st.data())
    def spoilt(data):
        def pick(n):
            return data.draw(st.integers(0, n - 1))

        kind = KINDS[kinds[pick(len(kinds))]]
        root = damage.fresh(base, tmp_path / "tried")
        file = root / kind.file
        if pick(4) == 0 and not kind.named:
            damage.in_its_place(file, tmp_path / "tried" / "outside", pick)
        else:
            file.write_bytes(kind.spoil(file.read_bytes(), pick))
        with contextlib.chdir(root), nothing_opened_in(tmp_path / "tried" / "outside"):
            status, out, err = called(monkeypatch, capfd, arguments)
        assert status in {0, 1, 2, 3}, err
        assert all(line.isprintable() for line in (out + err).split("\n"))
        assert status != 2 or (len(err.splitlines()) == 1 and err.startswith("lstmbench: "))

    spoilt()


def test_the_name_of_a_folder_is_shown_and_not_obeyed(base, tmp_path, monkeypatch, capfd):
    name = f"[red] {{x}} {damage.ESCAPES}"
    shutil.copytree(base / "models" / "m", tmp_path / "models" / name)
    (tmp_path / "models" / f"{name} 2").mkdir()  # left out by the check, and said to be
    for file in (folder.CONFIG, folder.WEIGHTS):
        shutil.copy(base / "models" / "m" / file, tmp_path / "models" / f"{name} 2")
    monkeypatch.chdir(tmp_path)
    for arguments in (["check", "--runtime", "numpy"], ["export", "--form", "loop"]):
        status, out, err = called(monkeypatch, capfd, arguments)
        assert status == 0, err
        assert all(line.isprintable() for line in (out + err).split("\n"))
    (tmp_path / "models" / name / folder.CONFIG).write_text("{")
    status, out, err = called(monkeypatch, capfd, ["export"])
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert err.strip("\n").isprintable()


def test_a_title_with_markup_in_it_is_no_markup(monkeypatch, capfd):
    """On a terminal such a name was a KeyError, or a MarkupError."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with screen.progress_bar("train [/] {x}", 1) as advance:
        advance(1, "[/]")
    with screen.spinner() as say:
        say("exporting [/red] {x}")
    assert "MarkupError" not in capfd.readouterr().err


def test_letters_that_command_a_terminal_are_not_sent_to_it(base, tmp_path, monkeypatch, capfd):
    shutil.copytree(base / "models" / "m", tmp_path / "m")
    letters = Vocabulary(unit="char", tokens=("<unk>", "\x1b", "\x9b", "\r", "\u202e"))
    disk.write_atomically(tmp_path / "m" / folder.VOCABULARY, letters.to_bytes())
    status, out, _ = called(monkeypatch, capfd, ["generate", str(tmp_path / "m"), "--tokens", "20", "--prompt", "\x1b"])
    assert status == 0
    assert "\ufffd" in out
    assert all(line.isprintable() for line in out.split("\n"))


def test_what_memory_cannot_hold_is_one_line(monkeypatch, capfd):
    def inspect(path):
        raise MemoryError

    monkeypatch.setattr("lstmbench.inspect.inspect", inspect)
    status, _, err = called(monkeypatch, capfd, ["inspect", "any.onnx"])
    assert (status, err) == (2, "lstmbench: this machine has too little memory free: take a smaller size\n")


def test_more_tokens_than_anybody_reads_are_refused(base, monkeypatch, capfd):
    arguments = ["generate", str(base / "models" / "m"), "--tokens", str(2**60)]
    status, _, err = called(monkeypatch, capfd, arguments)
    assert (status, len(err.splitlines())) == (2, 1)
    assert "--tokens must be 1 to" in err
