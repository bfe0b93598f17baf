"""A lower precision judged by the task: what it costs on unseen text, beside what its file promises.

It is measured wherever the text is at hand: a record can say anything. It tells what it holds where the text is not.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from lstmbench.arrays import Tokens
from lstmbench.corpus import held_out, read_vocabulary
from lstmbench.errors import CorpusError, LstmbenchError
from lstmbench.export import quality
from lstmbench.flows.promises import broken
from lstmbench.model import folder
from lstmbench.records import Clearance, ExportedModel, Quality, Record
from lstmbench.runtimes import unchanged
from lstmbench.worker import Worker


class CostRow(Record, frozen=True, kw_only=True):
    """What one file costs on one runtime, as others read it."""

    model: str
    runtime: str
    quality: Quality | None
    source: str  # "measured", or "recorded" where the text is not at hand; why there is none
    broken: str = ""  # the promise of the record that is not so


class Cost(NamedTuple):
    """What one file costs on one runtime."""

    clearance: Clearance
    quality: Quality | None
    source: str  # "measured", or "recorded" where the text is not at hand; why there is none
    broken: str = ""  # the promise of the record that is not so

    @property
    def row(self) -> CostRow:
        """The same without the clearance."""
        about = {"model": self.clearance.exported.name, "runtime": self.clearance.subject.runtime}
        return CostRow(**about, quality=self.quality, source=self.source, broken=self.broken)


def costs(clearances: Sequence[Clearance], progress: Callable[[str], None]) -> list[Cost]:
    """Of every subject below fp32, on the held-out part of its model's own text."""
    return [_cost(one, progress) for one in clearances if one.exported.record.precision != "fp32"]


def _cost(clearance: Clearance, progress: Callable[[str], None]) -> Cost:
    exported = clearance.exported
    if not clearance.passed:
        return Cost(clearance, None, "n/a: it failed its check")
    if exported.model.head == "layer":
        return Cost(clearance, None, "n/a: bare layers predict no text")
    recorded, text, why = exported.record.quality, None, ""
    try:
        text = own_text(exported)
    except LstmbenchError as error:
        why = str(error)
    if text is None and recorded is not None and recorded.text_sha256 and _of_this_runtime(clearance):
        return Cost(clearance, recorded, "recorded")
    if text is None or exported.draws:
        return Cost(clearance, None, f"n/a: {why or 'it gives tokens, and no logits to score'}")
    progress(f"scoring {exported.name} on {clearance.subject.runtime}")
    return _measured(clearance, recorded, text)


def own_text(exported: ExportedModel) -> Tokens:
    """The held-out part of the text that the model was trained on, (N,); CorpusError where it is not at hand."""
    path = Path(exported.folder)
    corpus = folder.read(path).folder.corpus
    if corpus is None:
        raise CorpusError(f"{path} does not say which text it was trained on")
    tokens: Tokens = held_out(corpus.name, read_vocabulary(path / folder.VOCABULARY)).tokens
    return tokens


def _of_this_runtime(clearance: Clearance) -> bool:
    subject = clearance.subject
    return clearance.exported.record.verified_with == f"{subject.runtime} {subject.runtime_version}"


def _measured(clearance: Clearance, recorded: Quality | None, text: Tokens) -> Cost:
    exported, subject = clearance.exported, clearance.subject
    with Worker(subject.runtime, exported, threads=subject.threads) as worker:
        found = quality.of_text(worker, unchanged.weights(exported), text)
    if recorded is None:
        return Cost(clearance, found, "measured")
    same = _of_this_runtime(clearance) and recorded.text_sha256 == found.text_sha256
    return Cost(clearance, found, "measured", broken(recorded, found, same=same))
