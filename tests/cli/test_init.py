"""`lstmbench init`: layers with weights at random, which go the way of every model."""

import pytest
from typer.testing import CliRunner

from lstmbench import check as checking
from lstmbench.cli import app
from lstmbench.export import export
from lstmbench.model import folder


@pytest.fixture
def init(tmp_path):
    def init(name, *options, models="models"):
        sizes = ["--features", "5", "--hidden", "6", "--models", str(tmp_path / models)]
        done = CliRunner().invoke(app, ["init", name, *sizes, *options])
        return done, tmp_path / models / name

    return init


def test_an_encoder_goes_from_the_command_line_to_a_check(init, tmp_path):
    pytest.importorskip("onnxruntime")
    done, path = init("encoder", "--bidirectional", "--layers", "2", "--peephole", "diagonal")
    assert done.exit_code == 0, done.output
    made = export(path, lengths=True)
    model = made.model
    assert (model.head, model.peephole, model.bidirectional, model.num_layers) == ("layer", "diagonal", True, 2)
    report = checking.check([made], ["numpy"], run=tmp_path / "run", shapes=((2, 5),), progress=lambda _line: None)
    assert report.passed


def test_the_seed_alone_decides_the_weights(init):
    options = ("--bidirectional", "--peephole", "full")
    (_, one), (_, again), (_, other) = (
        init("m", *options, "--seed", seed, models=models) for seed, models in (("3", "a"), ("3", "b"), ("4", "c"))
    )
    weights = [(path / folder.WEIGHTS).read_bytes() for path in (one, again, other)]
    assert weights[0] == weights[1] != weights[2]


def test_a_model_that_is_there_stays(init):
    _, path = init("m")
    before = (path / folder.WEIGHTS).read_bytes()
    done, _ = init("m", "--seed", "9")
    assert done.exit_code == 2
    assert "holds a model already" in done.output
    assert (path / folder.WEIGHTS).read_bytes() == before


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("a/b", (), "is no name for a model"),
        ("m", ("--hidden", "65536", "--features", "65536", "--layers", "1000"), "take a smaller --hidden"),
        ("m", ("--hidden", "65537"), "impossible settings"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_nothing_is_written(init, tmp_path, name, options, words):
    done, _ = init(name, *options)
    assert done.exit_code == 2
    assert words in done.output
    assert len(done.output.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_next_command_finds_the_model_where_it_lies(init):
    done, path = init("m", models="else where")
    assert f"next: lstmbench export m --models '{path.parent}'" in done.output.replace("\n", "")
