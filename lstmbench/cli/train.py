"""`lstmbench train`: a language model from text."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import msgspec
import typer

from lstmbench.cli.presets import take_preset
from lstmbench.cli.screen import progress_bar, say, table
from lstmbench.errors import LstmbenchError, RuntimeMissingError
from lstmbench.records import ModelConfig, ModelFolder, Recipe, TrainConfig, Unit

if TYPE_CHECKING:
    from lstmbench.corpus import Corpus
    from lstmbench.model.folder import Checkpoint

R = TypeVar("R", ModelConfig, TrainConfig, Recipe)
DEFAULTS, BESIDES = TrainConfig(), Recipe()
Size = Annotated[int, typer.Option(min=1)]
LONGEST_NAME = 200  # bytes; file systems take 255


def train(  # noqa: PLR0913, PLR0917 (one argument an option)
    name: Annotated[str, typer.Argument(help="The model's folder under --models.")],
    corpus: Annotated[str, typer.Option(help="kjv, pydoc, a UTF-8 file, or a folder.")] = "kjv",
    unit: Annotated[Literal["char", "word", "bpe"], typer.Option(help="What a token is.")] = "char",
    vocabulary_size: Annotated[int | None, typer.Option(min=1, help="For word and bpe.")] = None,
    peephole: Annotated[Literal["full", "diagonal", "none"], typer.Option(help="The cell.")] = "full",
    embedding: Size = 128,
    hidden: Size = 192,
    layers: Size = 1,
    tie_weights: Annotated[bool, typer.Option("--tie-weights", help="Project with the embedding.")] = False,
    attention: Annotated[
        bool, typer.Option("--attention", help="Project what is read of past states too; for whole sequences.")
    ] = False,
    batch: Size = DEFAULTS.batch,
    time: Annotated[int, typer.Option(min=1, help="Steps of one back-propagation.")] = DEFAULTS.time,
    steps: Annotated[int | None, typer.Option(min=1, help="The budget in steps; 1000 if none is given.")] = None,
    epochs: Annotated[float | None, typer.Option(help="The budget in passes over the text.")] = None,
    learning_rate: float = DEFAULTS.learning_rate,
    warmup_steps: Annotated[int, typer.Option(min=0)] = DEFAULTS.warmup_steps,
    weight_decay: float = DEFAULTS.weight_decay,
    clip_norm: Annotated[float, typer.Option(help="Of the gradient.")] = DEFAULTS.clip_norm,
    peephole_rate: Annotated[
        float, typer.Option(help="Of the learning rate, for full peepholes.")
    ] = DEFAULTS.peephole_rate,
    cell_penalty: Annotated[float, typer.Option(help="On the mean square of the cell state.")] = DEFAULTS.cell_penalty,
    dropout: float = DEFAULTS.dropout,
    precision: Annotated[Literal["fp32", "bf16"], typer.Option(help="Of the matrix products.")] = DEFAULTS.precision,
    validate_every: Annotated[int, typer.Option(min=1, help="In steps.")] = DEFAULTS.validate_every,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="All usable cores if not given.")] = None,
    schedule: Annotated[
        Literal["cosine", "linear", "rsqrt", "constant"], typer.Option(help="Of the learning rate.")
    ] = BESIDES.schedule,
    locked: Annotated[
        bool, typer.Option("--locked/--no-locked", help="Drop the same units at every step.")
    ] = BESIDES.locked,
    embedding_dropout: Annotated[float, typer.Option(help="Of whole words.")] = BESIDES.embedding_dropout,
    weight_drop: Annotated[float, typer.Option(help="Of weights that multiply states.")] = BESIDES.weight_drop,
    average: Annotated[
        Literal["none", "ema", "nt-asgd"], typer.Option(help="Of the weights, over steps.")
    ] = BESIDES.average,
    average_decay: Annotated[float, typer.Option(help="For ema.")] = BESIDES.average_decay,
    average_patience: Annotated[
        int, typer.Option(min=1, help="For nt-asgd: validations without a better one, after which it begins.")
    ] = BESIDES.average_patience,
    patience: Annotated[
        int, typer.Option(min=0, help="Validations without a better one, after which to stop; 0: never.")
    ] = BESIDES.patience,
    by_line: Annotated[
        bool, typer.Option("--by-line/--no-by-line", help="Each line for itself, beside others of its length.")
    ] = BESIDES.by_line,
    sample: Annotated[int, typer.Option(min=0, help="Tokens to write at each validation.")] = BESIDES.sample,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write for TensorBoard, too.")] = False,
    preset: Annotated[  # noqa: ARG001 (heeded before the others are)
        str | None,
        typer.Option(
            callback=take_preset, is_eager=True, help="Defaults of these options: quick, reference, large, a TOML file."
        ),
    ] = None,
    models: Annotated[Path, typer.Option(help="Where model folders lie.")] = Path("models"),
) -> None:
    """Train a language model on real text; a stopped run goes on where it was."""
    demand_trainer()
    from lstmbench.train import demand_board, steps_a_pass, writes

    demand_name(name)
    if tensorboard:
        demand_board()
    besides = validated(
        Recipe,
        schedule=schedule,
        locked=locked,
        embedding_dropout=embedding_dropout,
        weight_drop=weight_drop,
        average=average,
        average_decay=average_decay,
        average_patience=average_patience,
        patience=patience,
        by_line=by_line,
        sample=sample,
    )
    if attention and sample:
        raise LstmbenchError("a model with --attention reads whole sequences and writes no text: leave --sample out")
    text = load_corpus(corpus, unit=unit, vocabulary_size=vocabulary_size)
    model = validated(
        ModelConfig,
        head="lm",
        peephole=peephole,
        input_size=embedding,
        hidden_size=hidden,
        num_layers=layers,
        vocabulary_size=text.vocabulary.size,
        tie_weights=tie_weights,
        attention=attention,
    )
    passes = steps_a_pass(text, batch=batch, time=time, by_line=by_line) if epochs else 1
    training = validated(
        TrainConfig,
        batch=batch,
        time=time,
        steps=_budget(steps, epochs, passes=passes),
        learning_rate=learning_rate,
        warmup_steps=warmup_steps,
        weight_decay=weight_decay,
        clip_norm=clip_norm,
        peephole_rate=peephole_rate,
        cell_penalty=cell_penalty,
        dropout=dropout,
        precision=precision,
        validate_every=validate_every,
        seed=seed,
        threads=threads or usable_threads(),
        **({} if besides == BESIDES else {"recipe": besides}),
    )
    done = train_one(text, model, training, models / name, board=tensorboard)
    if writes():
        print_result(done)


def train_one(
    text: "Corpus", model: ModelConfig, training: TrainConfig, path: Path, *, board: bool = False
) -> "Checkpoint":
    """Train one model, with a progress bar, and what it writes by the way."""
    from lstmbench.train import TrainingRow, writes
    from lstmbench.train import train as run

    folder = ModelFolder(model=model, training=training, corpus=text.info)
    with progress_bar(f"train {path.name}", training.steps, shown=writes()) as advance:

        def show(row: TrainingRow) -> None:
            advance(row.step, f"{row.train_nats:.3f} nats")
            if row.sample:
                say(f"step {row.step}: {row.sample}", err=True)

        return run(text, folder, path, progress=show, board=board)


def load_corpus(source: str, *, unit: Unit = "char", vocabulary_size: int | None = None) -> "Corpus":
    """Load a text; its libraries only now."""
    from lstmbench.corpus import load

    return load(source, unit=unit, vocabulary_size=vocabulary_size)


def demand_trainer() -> None:
    """RuntimeMissingError if torch is not here."""
    if importlib.util.find_spec("torch") is None:
        raise RuntimeMissingError("training needs the extra 'torch': pip install 'lstmbench[torch]'")


def demand_name(name: str) -> None:
    """LstmbenchError unless a name can be that of a folder under --models."""
    if name != Path(name).name or name in ("", ".", ".."):
        raise LstmbenchError(f"{name!r} is no name for a model: give one word here, and its place with --models")
    if len(name.encode()) > LONGEST_NAME:
        raise LstmbenchError(f"the model's name has {len(name)} letters: give a shorter one")


def _budget(steps: int | None, epochs: float | None, *, passes: int) -> int:
    """The number of steps; `passes` is the steps of one pass over the text."""
    if steps is not None and epochs is not None:
        raise LstmbenchError("give --steps or --epochs, not both")
    if epochs is None:
        return steps or 1000
    if not 0 < epochs < 1e6:
        raise LstmbenchError("--epochs must be above 0 and below a million")
    return max(1, round(epochs * passes))


def usable_threads() -> int:
    """The cores that this process may use."""
    from lstmbench.machine import default_threads

    return default_threads()


def validated(kind: type[R], **fields: object) -> R:
    """Build a record from options, with every bound of its fields checked."""
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise LstmbenchError(f"impossible settings: {error}") from error


def print_result(done: "Checkpoint") -> None:
    """Show how well the model predicts what was held out."""
    rows = []
    for name, score in (("valid", done.note.valid), ("test", done.note.test)):
        if score is not None:
            bits = "n/a" if score.bits_per_character is None else f"{score.bits_per_character:.4f}"
            rows.append([name, f"{score.nats:.4f}", f"{score.perplexity:.3f}", bits, f"{score.tokens:,}"])
    columns = ["split", "nats a token", "perplexity", "bits a character", "tokens"]
    table(f"{done.path}: best at step {done.note.step}", columns, rows)
