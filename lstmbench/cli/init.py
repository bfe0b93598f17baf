"""`lstmbench init`: bare recurrent layers, both directions too, to be exported, checked and timed."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from lstmbench.cli.screen import say
from lstmbench.cli.train import Size, demand_name, validated
from lstmbench.records import ModelConfig


def init(  # noqa: PLR0913, PLR0917 (one argument an option)
    name: Annotated[str, typer.Argument(help="The model's folder under --models.")],
    peephole: Annotated[Literal["full", "diagonal", "none"], typer.Option(help="The cell.")] = "full",
    features: Annotated[int, typer.Option(min=1, help="Of the input, at each step.")] = 128,
    hidden: Annotated[int, typer.Option(min=1, help="Units of a layer, in each direction.")] = 192,
    layers: Size = 1,
    bidirectional: Annotated[bool, typer.Option("--bidirectional", help="An encoder: both directions.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the weights.")] = 0,
    models: Annotated[Path, typer.Option(help="Where model folders lie.")] = Path("models"),
) -> None:
    """Make bare layers with weights at random, features in and out; trained ones come from lstmbench.save_layers."""
    from lstmbench.flows.made import initialised
    from lstmbench.model.weights import parameter_count

    demand_name(name)
    config = validated(
        ModelConfig,
        head="layer",
        peephole=peephole,
        input_size=features,
        hidden_size=hidden,
        num_layers=layers,
        bidirectional=bidirectional,
    )
    initialised(config, models / name, seed=seed)
    made = f"{models / name}: {parameter_count(config):,} parameters, at random"
    say(f"{made}; next: lstmbench export {name}{_where(models)}")


def _where(models: Path) -> str:
    """The option that finds them again, where they lie elsewhere than usual."""
    return "" if models == Path("models") else f" --models {shlex.quote(str(models))}"
