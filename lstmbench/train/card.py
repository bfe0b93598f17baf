"""The model card: what was trained, on which text, how well it predicts, and the command that makes it again."""

import shlex
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lstmbench.model.folder import WeightsNote
from lstmbench.model.weights import parameter_count
from lstmbench.records import Machine, ModelFolder, Score
from lstmbench.train.card_gradients import gradients
from lstmbench.train.journals import FlowRow, TrainingRow

_CELLS = {
    "full": "full: matrices from the old cell state on all four gates",
    "diagonal": "diagonal: vectors; i and f see the old cell state, o the new one (Gers & Schmidhuber 2000)",
    "none": "none: no peepholes, as torch.nn.LSTM",
}
_COMPUTED = ("lstmbench", "torch", "llvmlite")  # they decide on the rounding of every step
_ATTENTION = """
| Attention | over past states of one call (Luong et al. 2015), here {time} steps, in training and in these scores |"""
_CARD = """# {name}

A language model of one text, for proving and measuring recurrent inference; it knows nothing but that text.

| | |
|---|---|
| Cell | {cell} |{attention}
| Layers | {layers} of {hidden} units |
| Sizes | embedding {embedding}, vocabulary {vocabulary}; {parameters:,} parameters, float32 |
| Text | {text} ({characters:,} characters, SHA-256 `{sha256}`) |
| Tokens | {unit}; {tokens:,} to train on |
| Training | {steps:,} steps of {batch} × {time} tokens; the best on the validation split, of step {best:,} |

| Held-out split | Nats a token | Perplexity | Bits a character | Tokens |
|---|---:|---:|---:|---:|
{scores}

{gradients}Trained and scored on {cpu}, {threads}, {versions}, {date}, by this command, where the text above lies:

```
{command}
```

`config.json` holds every setting, `weights.safetensors` the tensors under torch.nn.LSTM's names, `training.jsonl` the
curve. An exported `.onnx` has its proof beside it, in the `.json` of the same name.
"""


class Making(NamedTuple):
    """Where the model was scored, and by how many processes."""

    machine: Machine
    processes: int
    rows: Sequence[TrainingRow] = ()
    flows: Sequence[FlowRow] = ()


def card(folder: ModelFolder, note: WeightsNote, made: Making, *, name: str) -> str:
    """The card of a trained model, as Markdown."""
    model, training, corpus = folder.model, folder.training, folder.corpus
    assert training is not None, "a card is about training"
    assert corpus is not None, "training reads a text"
    return _CARD.format(
        name=name,
        cell=_CELLS[model.peephole],
        attention=_ATTENTION.format(time=folder.steps_a_call) if model.attention else "",
        layers=model.num_layers,
        hidden=model.hidden_size,
        embedding=model.input_size,
        vocabulary=model.vocabulary_size,
        parameters=parameter_count(model),
        text=corpus.name,
        characters=corpus.characters,
        sha256=corpus.sha256,
        unit=corpus.unit,
        tokens=corpus.tokens,
        steps=training.steps,
        batch=training.batch,
        time=training.time,
        best=note.step,
        gradients=gradients(made.rows, made.flows, clip_norm=training.clip_norm),
        scores="\n".join(_scores("valid", note.valid) + _scores("test", note.test)),
        cpu=made.machine.cpu,
        threads=_threads(training.threads, made.processes),
        versions=", ".join(
            f"{p} {v}" for p, v in made.machine.versions.items() if p in ("lstmbench", "torch", "llvmlite")
        ),
        date=made.machine.before.at[:10],
        command=_command(folder, name, made.processes),
    )


def _threads(threads: int, processes: int) -> str:
    return f"{threads} thread(s)" + (f" in {processes} processes" if processes > 1 else "")


def _scores(split: str, score: Score | None) -> list[str]:
    if score is None:
        return []
    bits = "n/a" if score.bits_per_character is None else f"{score.bits_per_character:.4f}"
    return [f"| {split} | {score.nats:.4f} | {score.perplexity:.3f} | {bits} | {score.tokens:,} |"]


def _command(folder: ModelFolder, name: str, processes: int) -> str:
    """Every setting is given, so that the line stays true when a default changes."""
    model, training, corpus = folder.model, folder.training, folder.corpus
    assert training is not None, "a card is about training"
    assert corpus is not None, "training reads a text"
    sizes = {"peephole": model.peephole, "embedding": model.input_size, "hidden": model.hidden_size}
    options = {"corpus": corpus.name, "unit": corpus.unit, **sizes, "layers": model.num_layers}
    if corpus.unit != "char":
        options["vocabulary-size"] = model.vocabulary_size
    settings = msgspec.structs.asdict(training)
    del settings["recipe"]
    if training.recipe:
        settings |= msgspec.structs.asdict(training.recipe)
    flags = [part for option, value in (options | settings).items() for part in _flag(option, value)]
    ties = ["--tie-weights"] * model.tie_weights + ["--attention"] * model.attention
    start = f"torchrun --nproc-per-node={processes}" if processes > 1 else "python"
    return f"{start} -m lstmbench " + shlex.join(["train", name, *flags, *ties])


def _flag(option: str, value: object) -> list[str]:
    name = f"--{option.replace('_', '-')}"
    return [name] * value if isinstance(value, bool) else [name, str(value)]
