"""What runs is scored as the reference is: every token but the first once, whatever a call holds."""

import msgspec
import numpy as np
import pytest

from lstmbench import disk, runfolder
from lstmbench.corpus import Vocabulary, evaluation_rows
from lstmbench.corpus.streamed import Held
from lstmbench.errors import CrashError, LstmbenchError
from lstmbench.export import export
from lstmbench.flows import evaluate
from lstmbench.flows.evaluate import Text
from lstmbench.model import folder, reference
from lstmbench.model.weights import random_weights
from lstmbench.records import CorpusInfo, Evaluation, ModelConfig, ModelFolder, TrainConfig

VOCABULARY = Vocabulary(unit="char", tokens=("<unk>", *"abcd"))
MODEL = ModelConfig(head="lm", peephole="diagonal", input_size=3, hidden_size=4, vocabulary_size=5)
TOKENS = np.random.default_rng(2).integers(0, 5, 20 * 70 + 8)
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "m"
    folder.write_config(path, ModelFolder(model=MODEL))
    folder.write_weights(path, random_weights(MODEL, seed=1, gain=2.0), folder.WeightsNote(sha256=""))
    return {form: export(path, form=form) for form in ("lstm", "step", "generate")}


@pytest.fixture
def score(tmp_path):
    def score(exported, *runtimes, tokens=TOKENS, lossless=True):
        text = Text("a text", Held(tokens, 2 * len(tokens), VOCABULARY), lossless)
        return evaluate.evaluate([exported], runtimes, text, run=tmp_path / "run", progress=lambda _line: None)

    return score


def expected(tokens=TOKENS):
    """In float64, a row at a time: nats a token of each row."""
    weights, rows = random_weights(MODEL, seed=1, gain=2.0), []
    for x, y in zip(*evaluation_rows(tokens), strict=True):
        logits, _ = reference.run(MODEL, weights, x[None])
        p = np.exp(logits[0]) / np.exp(logits[0]).sum(axis=-1, keepdims=True)
        rows.append(-np.log(p[np.arange(len(y)), y])[y >= 0])
    return rows


@pytest.mark.parametrize("form", ["lstm", "step"])
def test_the_score_is_the_references_in_calls_of_any_length(exports, score, form):
    (row,) = score(exports[form], "onnxruntime-cpu")
    rows = expected()
    assert row.score.nats == pytest.approx(np.concatenate(rows).mean(), rel=1e-5)
    assert row.score.tokens == len(TOKENS) - 1
    assert row.score.perplexity == pytest.approx(np.exp(row.score.nats))
    assert row.score.bits_per_character == pytest.approx(row.score.nats / np.log(2) / 2, rel=1e-3)
    means = np.array([row.mean() for row in rows])
    assert (row.nats_low + row.nats_high) / 2 == pytest.approx(means.mean(), rel=1e-5)
    assert (row.nats_high - row.nats_low) / 2 == pytest.approx(2.093 * means.std(ddof=1) / np.sqrt(20), rel=1e-3)


def test_a_text_of_few_tokens_has_no_interval_and_one_that_is_not_spelt_no_bits(exports, score):
    (row,) = score(exports["lstm"], "numpy", tokens=TOKENS[:6], lossless=False)
    assert (row.score.tokens, row.rows) == (5, 5)
    assert (row.nats_low, row.nats_high, row.score.bits_per_character) == (None, None, None)


def test_what_fails_the_check_has_no_score(exports, score, monkeypatch, tmp_path):
    (tmp_path / "planted.py").write_text(
        "from lstmbench.runtimes.numpy_float32 import NumpyFloat32\n"
        "class Wrong(NumpyFloat32):\n"
        "    def run(self, inputs, state, **known):\n"
        "        logits, after = super().run(inputs, state, **known)\n"
        "        return logits * 1.01, after\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (row,) = score(exports["lstm"], "planted:Wrong")
    assert row.score is None
    assert "logits" in row.refused


def test_a_graph_that_draws_gives_no_logits(exports, score):
    with pytest.raises(LstmbenchError, match="gives logits"):
        score(exports["generate"], "onnxruntime-cpu")


def test_scores_are_kept_and_not_made_again_for_the_same_text(exports, score, tmp_path, monkeypatch):
    rows = score(exports["lstm"], "numpy", "onnxruntime-cpu")
    kept = tmp_path / "run" / runfolder.EVALUATIONS
    assert disk.read_journal(kept, Evaluation) == rows
    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "_evaluated", None)
        assert score(exports["lstm"], "numpy", "onnxruntime-cpu") == rows
    (other,) = score(exports["lstm"], "numpy", tokens=TOKENS[::-1].copy())
    assert other.score != rows[0].score
    assert disk.read_journal(kept, Evaluation) == [*rows, other]


def test_what_was_refused_is_asked_again(exports, score, tmp_path, monkeypatch):
    def crash(_worker, _rows):
        raise CrashError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "_sums", crash)
        (row,) = score(exports["lstm"], "numpy")
    assert row.refused == "gone"
    (row,) = score(exports["lstm"], "numpy")
    assert row.score is not None
    assert disk.read_journal(tmp_path / "run" / runfolder.EVALUATIONS, Evaluation) == [row]


def test_what_attends_is_scored_in_calls_as_long_as_those_of_training(score, tmp_path):
    model = msgspec.structs.replace(MODEL, attention=True)
    weights, path = random_weights(model, seed=1, gain=2.0), tmp_path / "m"
    corpus = CorpusInfo(name="a text", unit="char", sha256="0" * 64, characters=9, tokens=9)
    folder.write_config(path, ModelFolder(model=model, training=TrainConfig(time=7), corpus=corpus))
    folder.write_weights(path, weights, folder.WeightsNote(sha256=""))
    (row,) = score(export(path), "onnxruntime-cpu", tokens=TOKENS[:301])
    total, state = 0.0, None
    inputs, targets = evaluation_rows(TOKENS[:301])
    for start in range(0, inputs.shape[1], 7):
        logits, state = reference.run(model, weights, inputs[:, start : start + 7], state)
        p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        total -= np.log(np.take_along_axis(p, targets[:, start : start + 7, None], -1)).sum()
    assert row.score.nats == pytest.approx(total / 300, abs=1e-6)
