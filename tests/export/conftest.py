import numpy as np
import pytest

from lstmbench.model import folder, stimulus
from lstmbench.model.weights import random_weights
from lstmbench.parity import compare, expect
from lstmbench.records import ModelConfig, ModelFolder

VOCABULARY = (
    b'{"schema":"lstmbench.vocabulary/1","unit":"char","tokens":["<unk>","a","b","c","d","e","f","g","\xc3\xbc"]}\n'
)


@pytest.fixture
def config():
    """Make the sizes of a model."""

    def config(peephole, head="lm", **sizes):
        sizes = {"input_size": 5, "hidden_size": 6, "vocabulary_size": 9 if head == "lm" else 0} | sizes
        return ModelConfig(head=head, peephole=peephole, **sizes)

    return config


@pytest.fixture
def model(tmp_path, config):
    """Make a model folder with random weights, and with a vocabulary if it is a language model."""

    def model(peephole="full", head="lm", *, gain=1.0, name="tiny", **sizes):
        path, made = tmp_path / name, config(peephole, head, **sizes)
        folder.write_config(path, ModelFolder(model=made))
        folder.write_weights(path, random_weights(made, seed=4, gain=gain), folder.WeightsNote(sha256=""))
        if head == "lm":
            (path / folder.VOCABULARY).write_bytes(VOCABULARY)
        return path

    return model


@pytest.fixture
def failures():
    """Run a session at one (B, T) from a random state; the reasons why its outputs fail."""

    def failures(session, config, weights, *, batch, time, precision="fp32"):
        inputs = stimulus.inputs(config, batch=batch, time=time, seed=11)
        state = stimulus.state(config, batch=batch, seed=12)
        feeds = {"input_ids" if config.head == "lm" else "x": inputs, "h_0": state.h, "c_0": state.c}
        expected = expect(config, weights, inputs, state, precision=precision)
        outputs = zip(session.run(config.output_names, feeds), expected, strict=True)
        verdicts = [compare(np.asarray(got), e.want, name=e.name, bound=e.bound, judged=e.judged) for got, e in outputs]
        return [verdict.reason for verdict in verdicts if not verdict.passed]

    return failures
