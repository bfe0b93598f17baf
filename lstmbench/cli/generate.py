"""`lstmbench generate`: text from a prompt, to the terminal as it is drawn."""

import contextlib
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from lstmbench.cli.folders import exports_of, model_folders
from lstmbench.cli.screen import say
from lstmbench.plain import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lstmbench.generate import Step
    from lstmbench.records import ExportedModel
    from lstmbench.worker import Worker


def generate(  # noqa: PLR0913, PLR0917 (one argument an option)
    name: Annotated[str, typer.Argument(help="A model folder, or a name under --models.")],
    prompt: Annotated[str | None, typer.Option(help="The text to go on from; a line break if none is given.")] = None,
    tokens: Annotated[int, typer.Option(min=1)] = 300,
    temperature: Annotated[float, typer.Option(min=0, help="0: always the most likely token.")] = 0.8,
    top_k: Annotated[int, typer.Option(min=0, help="0: all.")] = 0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    runtime: Annotated[str, typer.Option(help="What computes.")] = "onnxruntime-cpu",
    form: Annotated[
        str | None, typer.Option(help="Which export: generate draws in the graph; the first that can if not given.")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="Of that export; the least rounded if not given.")] = None,
    against: Annotated[str | None, typer.Option(help="A second runtime: name the step where the texts part.")] = None,
    models: Annotated[Path, typer.Option(help="Where model folders lie.")] = Path("models"),
) -> None:
    """Write text; the same seed gives the same text on every runtime until a draw falls within rounding of an edge."""
    from lstmbench.corpus import stream
    from lstmbench.generate import Sampling, first_parting, told_fragile, vocabulary_of
    from lstmbench.generate import generate as run
    from lstmbench.worker import Worker

    (folder,) = model_folders([name], models)
    exported = _writes_text(folder, form, precision)
    _demand_one_model(exported, runtime, against)
    vocabulary = vocabulary_of(exported)
    sampling = Sampling(tokens=tokens, temperature=temperature, top_k=top_k, seed=seed)
    start = vocabulary.first() if prompt is None else vocabulary.encode_prompt(prompt)
    steps: list[Step] = []
    with contextlib.ExitStack() as workers:
        worker, *others = (workers.enter_context(Worker(name, exported)) for name in (runtime, against) if name)
        _demand_placed(worker, *others)
        typer.echo(shown(vocabulary.decode(start)), nl=False)
        for piece in stream(vocabulary, (step.token for step in _kept(run(worker, start, sampling), steps))):
            typer.echo(shown(piece), nl=False)
        typer.echo()
        if others and exported.draws:
            steps = told_fragile(exported, start, sampling, steps)
        for other in others:
            parting = first_parting(iter(steps), run(other, start, sampling))
            say(_compared(runtime, other.runtime, parting, steps), err=True)


def _writes_text(folder: Path, form: str | None, precision: str | None) -> "ExportedModel":
    """The least rounded export that goes on a token at a time, one that can be watched rather than one that draws.

    Of this form and precision, where they are given; LstmbenchError if there is none.
    """
    from lstmbench.errors import LstmbenchError
    from lstmbench.records import Precision

    found = exports_of(folder)
    can = [one for one in found if one.model.head == "lm" and one.steps in (None, 1)]
    if can and all(one.model.uncut for one in can):
        raise LstmbenchError(f"{can[0].name} writes no text, which is drawn a token a call: {can[0].model.uncut}")
    if not can:
        raise LstmbenchError(
            f"{found[0].name} cannot go on a token at a time: export head 'lm' with T open, or form step or generate"
        )
    asked = [one for one in can if form in (None, one.record.form) and precision in (None, one.record.precision)]
    if not asked:
        wish = " ".join(f"--{name} {value}" for name, value in (("form", form), ("precision", precision)) if value)
        there = ", ".join(f"{one.record.form}-{one.record.precision}" for one in can)
        raise LstmbenchError(
            f"{folder} holds no export of {wish} that writes text; there {'is' if len(can) == 1 else 'are'} {there}: "
            f"make it with 'lstmbench export {folder.name} {wish}'"
        )
    return min(asked, key=lambda one: (one.draws, get_args(Precision).index(one.record.precision)))


def _demand_placed(*workers: "Worker") -> None:
    """No text under the name of a provider that did not run the recurrence."""
    from lstmbench.errors import LstmbenchError
    from lstmbench.records import strays

    for worker in workers:
        if where := ", ".join(strays(worker.info.provider, worker.info.placement)):
            raise LstmbenchError(
                f"nodes that compute in {worker.exported.name} ran on {where}, not on {worker.info.provider}, as "
                f"runtime {worker.runtime!r} promises: take another form, or the runtime that they ran on"
            )


def _demand_one_model(exported: "ExportedModel", runtime: str, against: str | None) -> None:
    """A runtime that computes from the checkpoint computes another model than a rounded file holds."""
    from lstmbench.errors import LstmbenchError
    from lstmbench.runtimes import from_checkpoint

    for name in (runtime, against):
        if name and from_checkpoint(name) and exported.record.precision != "fp32":
            raise LstmbenchError(
                f"runtime {name!r} computes with the trained weights, {exported.name} holds rounded ones: take an "
                f"export in fp32, or another runtime"
            )


def _kept(steps: "Iterable[Step]", kept: "list[Step]") -> "Iterator[Step]":
    for step in steps:
        kept.append(step)
        yield step


def _compared(runtime: str, against: str, parting: object, steps: "list[Step]") -> str:
    from lstmbench.generate import Parting

    fragile = [step.number for step in steps if step.fragile]
    shown = ", ".join(map(str, itertools.islice(fragile, 10))) or "none"
    if not isinstance(parting, Parting):
        return f"{runtime} and {against} drew the same {len(steps)} tokens; steps within rounding of an edge: {shown}"
    why = "within rounding of an edge" if parting.fragile else "NOT within rounding: one of the two is wrong"
    return f"{runtime} and {against} part at step {parting.number}, {why}; such steps before: {shown}"
