"""A model, how and on what it was trained, and how well it predicts."""

import math
from typing import Annotated, Literal, TypeAlias

import msgspec

from lstmbench.records.base import Count, Head, Peephole, Positive, Record, Size, Threads, Unit


class ModelConfig(Record, frozen=True, kw_only=True):
    """The cell and the sizes of a model; head `layer` is the bare recurrent stack, without a vocabulary."""

    head: Head
    peephole: Peephole
    input_size: Size  # E; the embedding's size for head `lm`
    hidden_size: Size  # H
    num_layers: Size = 1  # L
    bidirectional: bool = False
    bias: bool = True
    vocabulary_size: Count = 0  # V; 0 for head `layer`
    tie_weights: bool = False  # the projection is the embedding, transposed; needs E = H
    attention: bool = False  # the projection reads past states too: `lstmbench.model.attention`; needs head `lm`

    def __post_init__(self) -> None:
        if (self.head == "lm") != (self.vocabulary_size > 0):
            raise ValueError("head 'lm' needs a vocabulary, head 'layer' has none")
        if self.head == "lm" and self.bidirectional:
            raise ValueError("a language model reads forward only: bidirectional needs head 'layer'")
        if self.head == "layer" and self.attention:
            raise ValueError("bare layers have no projection that could read past states: attention needs head 'lm'")
        if self.tie_weights and self.input_size != self.hidden_size:
            raise ValueError("tied weights need an embedding as wide as the hidden state")

    @property
    def directions(self) -> int:
        """D: 2 if bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def uncut(self) -> str:
        """Why a sequence cannot be cut into calls; empty where it can: the state is all that the rest of it needs."""
        if self.attention:
            return "attention reads the states of its own call: cut in pieces, a sequence is another function"
        if self.bidirectional:
            return "a reverse direction starts at the end: cut in pieces, it is another function"
        return ""

    @property
    def output_names(self) -> tuple[str, str, str]:
        """The names of the graph's outputs, the head's own first."""
        return ("logits" if self.head == "lm" else "y", "h_n", "c_n")

    def layers_only(self) -> "ModelConfig":
        """The same recurrent stack as head `layer`."""
        return msgspec.structs.replace(self, head="layer", vocabulary_size=0, tie_weights=False, attention=False)

    def output_shape(self, batch: int, time: int) -> tuple[int, int, int]:
        """(B, T, V) of head `lm`, (B, T, D·H) of head `layer`."""
        wide = self.vocabulary_size if self.head == "lm" else self.directions * self.hidden_size
        return (batch, time, wide)

    def state_shape(self, batch: int) -> tuple[int, int, int]:
        """The shape (D·L, B, H) of h and of c."""
        return (self.directions * self.num_layers, batch, self.hidden_size)


class CorpusInfo(Record, frozen=True, kw_only=True):
    """Which text a model was trained on."""

    name: str
    unit: Unit
    sha256: str  # of the whole text, UTF-8
    characters: Count
    tokens: Count  # in the training split


Rate: TypeAlias = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class Recipe(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What training takes besides; only what differs from these values is written."""

    schedule: Literal["cosine", "linear", "rsqrt", "constant"] = "cosine"  # of the learning rate, after the warm-up
    locked: bool = False  # dropout takes the same units at every step of a chunk
    embedding_dropout: Rate = 0.0  # of the words of the vocabulary
    weight_drop: Rate = 0.0  # of the weights that multiply states
    average: Literal["none", "ema", "nt-asgd"] = "none"  # of the weights, over steps
    average_decay: Rate = 0.999  # for ema
    average_patience: Positive = 5  # for nt-asgd: validations without a better one, after which it begins
    patience: Count = 0  # validations without a better one, after which training ends; 0: it never does
    by_line: bool = False  # each line is a sequence of its own, cut after `time` tokens
    sample: Count = 0  # tokens written at each validation

    def __post_init__(self) -> None:
        if not self.average_decay > 0:
            raise ValueError("average_decay must be above 0")


class TrainConfig(Record, frozen=True, kw_only=True):
    """How a model is trained; every field decides the result, so all of it is kept."""

    batch: Size = 32  # rows of text side by side
    time: Size = 32  # steps of one truncated back-propagation
    steps: Positive = 1000
    learning_rate: Annotated[float, msgspec.Meta(gt=0)] = 6e-3
    warmup_steps: Count = 50
    weight_decay: Annotated[float, msgspec.Meta(ge=0)] = 0.01
    clip_norm: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    peephole_rate: Annotated[float, msgspec.Meta(gt=0)] = 0.1  # of the learning rate, for full peepholes
    cell_penalty: Annotated[float, msgspec.Meta(ge=0)] = 0.1  # times the mean of c² at the end of a chunk
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    precision: Literal["fp32", "bf16"] = "fp32"  # of the matrix products; the rest is float32
    validate_every: Positive = 250
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 0
    threads: Threads = 1  # of all processes together
    recipe: Recipe | msgspec.UnsetType = msgspec.UNSET  # left out where nothing of it differs

    def __post_init__(self) -> None:
        for name in ("learning_rate", "weight_decay", "clip_norm", "peephole_rate", "cell_penalty"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be a finite number")
        if self.besides.by_line and self.dropout and not self.besides.locked:
            raise ValueError("dropout of lines, which end at different steps, must be locked")

    @property
    def besides(self) -> Recipe:
        """What is in force, written or not."""
        return self.recipe or Recipe()


class ModelFolder(Record, frozen=True, kw_only=True):
    """`config.json` of a model folder; training and corpus are absent for a bare layer."""

    schema: Literal["lstmbench.model/1"] = "lstmbench.model/1"
    model: ModelConfig
    training: TrainConfig | None = None
    corpus: CorpusInfo | None = None

    @property
    def steps_a_call(self) -> int | None:
        """T of the calls in which the model's text is scored, where that decides the score: as long as in training."""
        return self.training.time if self.training and self.model.uncut else None


class Score(Record, frozen=True, kw_only=True):
    """How well a model predicts held-out text."""

    nats: float  # a token
    perplexity: float  # exp(nats)
    bits_per_character: float | None  # absent where the unit loses characters (word)
    tokens: Positive  # predicted
