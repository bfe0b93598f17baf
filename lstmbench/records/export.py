"""An exported file: what it is, how it was proved, what it costs."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from lstmbench.records.base import Count, Error, Extent, Form, Positive, Precision, Record
from lstmbench.records.model import ModelConfig


class ShapeCheck(Record, frozen=True, kw_only=True):
    """One output of one shape at which a written file was run and compared."""

    batch: Extent
    time: Extent
    output: str
    max_error: Error
    bound: Error
    unjudged_steps: Count = 0  # of the last of its steps, and of a state of all or none, the error is only reported


class Quality(Record, frozen=True, kw_only=True):
    """What a lower precision costs: a file beside the model that it was made from, on the same inputs."""

    # root mean square of the difference of their outputs over that of the model's; absent where the model gives zeros
    relative_error: float | None
    tokens: Count = 0  # of held-out text; 0 for head `layer`, where the rest is absent
    perplexity: float | None = None  # of the file
    perplexity_change: float | None = None  # over the model's: 0.01 is one per cent more
    perplexity_change_at_most: float | None = None  # with 95 % confidence, over the rows of the text
    kl_nats: float | None = None  # of the file's next token from the model's, Kullback-Leibler, mean over the tokens
    kl_nats_at_most: float | None = None  # with 95 % confidence, over the rows of the text, as all bounds here
    top1_agreement: float | None = None  # share of tokens at which both hold the same one most likely
    top1_agreement_at_least: float | None = None
    text_sha256: str = ""  # of the held-out tokens; empty in records of versions that did not keep it

    def __post_init__(self) -> None:
        bounds = (
            (self.perplexity_change, self.perplexity_change_at_most),
            (self.kl_nats, self.kl_nats_at_most),
            (self.top1_agreement_at_least, self.top1_agreement),
        )
        if any(low is not None and high is not None and not low <= high for low, high in bounds):
            raise ValueError("a bound of what a precision costs lies on the wrong side of its mean")
        if self.top1_agreement is not None and not 0 <= self.top1_agreement <= 1:
            raise ValueError("top1_agreement is a share, 0 to 1")


class DataFile(Record, frozen=True, kw_only=True):
    """The file beside an exported one that holds its large tensors."""

    file: str
    size_bytes: Positive
    sha256: str


class ExportRecord(Record, frozen=True, kw_only=True):
    """`<form>-<precision>.json` beside an exported file: what it is and how it was proved."""

    schema: Literal["lstmbench.export/1"] = "lstmbench.export/1"
    file: str
    sha256: str
    model: ModelConfig
    form: Form
    precision: Precision
    lengths: bool = False  # whether each row of a batch has its own, an input of the graph
    opset: Positive
    ir_version: Positive
    weights_sha256: str  # of the tensors that it was made from
    verified: tuple[ShapeCheck, ...]
    verified_with: str  # "onnxruntime-cpu 1.32.0"
    quality: Quality | None = None  # of precisions below fp32, where a text was at hand
    data: DataFile | None = None  # absent where the file holds all of it

    @property
    def sums(self) -> dict[str, str]:
        """Every file of the export with its SHA-256."""
        return {self.file: self.sha256} | ({} if self.data is None else {self.data.file: self.data.sha256})


class Decoding(Record, frozen=True, kw_only=True):
    """What a graph of form `generate` is asked for, beside the numbers that it draws at."""

    prompt: Positive  # tokens a row
    temperature: Annotated[float, msgspec.Meta(ge=0)]  # 0: the most likely token
    top_k: Count  # 0: all


TIMED = Decoding(prompt=1, temperature=1.0, top_k=0)  # the dearest draw: all of the vocabulary stands in order


def steps_of(form: Form) -> int | None:
    """T of every call of a graph; None where it may be any."""
    return 1 if form == "step" else int(form.removeprefix("unrolled")) if form.startswith("unrolled") else None


BASELINE = "baseline/"  # before the name of what others are held against; no folder's name has a slash


def without_baseline(name: str) -> str | None:
    """The name of an export without that mark; None where it has none."""
    rest = name.removeprefix(BASELINE)
    return rest if rest != name and "/" in rest else None


class ExportedModel(Record, frozen=True, kw_only=True):
    """An exported file in its model folder."""

    folder: str
    record: ExportRecord
    baseline: bool = False  # whether it is what others are held against: it may have their name

    @property
    def path(self) -> Path:
        """The ONNX file."""
        return Path(self.folder) / self.record.file

    @property
    def name(self) -> str:
        """`<model>/<form>-<precision>`, as tables show it, with `-lengths` where the file takes them."""
        mark = BASELINE if self.baseline else ""
        return f"{mark}{Path(self.folder).resolve().name}/{Path(self.record.file).stem}"

    @property
    def model(self) -> ModelConfig:
        """The sizes and the cell, of the head that was exported."""
        return self.record.model

    @property
    def steps(self) -> int | None:
        """T of every call; None where it may be any."""
        return steps_of(self.record.form)

    @property
    def draws(self) -> bool:
        """Whether the graph draws tokens itself, instead of giving logits."""
        return self.record.form == "generate"
