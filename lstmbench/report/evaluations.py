"""How well texts are predicted, for a terminal and for the page."""

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from lstmbench.plain import plain
from lstmbench.records import Evaluation, ParityRow
from lstmbench.report import raw, wording
from lstmbench.report.sheets import Row, Sheet
from lstmbench.report.subjects import columns
from lstmbench.report.terminal import TerminalTable, subject_name
from lstmbench.report.verdicts import standings

_NOTE = (
    "Cross-entropy of the next token, from the logits that the runtime gave for the whole text, its check passed: nats "
    "a token, their interval from the rows of the text, perplexity e to the nats, and bits a character of the text."
)
_NO_CHECK = "no check of it is kept"
_COLUMNS = ("export · runtime", "tokens", "nats a token", "95 %", "perplexity", "bits/char")


def evaluation_tables(rows: Sequence[Evaluation]) -> list[TerminalTable]:
    """One table a text; every row passed the check, or is refused and has no number."""
    texts = dict.fromkeys(row.text for row in rows)
    return [TerminalTable(text, _COLUMNS, [_row(row) for row in rows if row.text == text]) for text in texts]


def evaluations_of(run: Path) -> list[TerminalTable]:
    """All that a run predicted."""
    recorded = raw.read_checked(run)
    return evaluation_tables(_vouched(recorded.evaluations, recorded.parity))


def evaluation_sheets(rows: Sequence[Evaluation], parity: Sequence[ParityRow]) -> list[Sheet]:
    """The same for the page, where there is anything in it."""
    keys = ("Text", "Model / form", "Runtime", "Threads")
    values = ("Tokens", "Nats a token", "95 % interval", "Perplexity", "Bits/character")
    drawn = tuple(map(_sheet_row, _vouched(rows, parity)))
    title = "Prediction: how well texts are predicted by what runs"
    return [Sheet("prediction", "Prediction", title, _NOTE, keys, values, drawn)] if rows else []


def _vouched(rows: Sequence[Evaluation], parity: Sequence[ParityRow]) -> list[Evaluation]:
    """Without the scores of what has not passed a check that is kept beside them."""
    known = standings(parity)
    standing = [known.get(row.subject.identity) for row in rows]
    why = [_NO_CHECK if found is None else found.refused for found in standing]
    return [
        replace(row, score=None, refused=row.refused or no) if no else row for row, no in zip(rows, why, strict=True)
    ]


def _sheet_row(row: Evaluation) -> Row:
    s = columns(row.subject)
    keys = (plain(row.text), wording.export(s), wording.engine(s), str(s.threads))
    return Row(keys, () if row.refused else _row(row)[1:], refused=plain(row.refused))


def _row(row: Evaluation) -> tuple[str, ...]:
    name, found = subject_name(columns(row.subject)), row.score
    if found is None:
        return (name, *[wording.NOT_AVAILABLE] * 4, "refused")
    low, high, bits = row.nats_low, row.nats_high, found.bits_per_character
    between = wording.NOT_AVAILABLE if low is None or high is None else f"{low:.3f} – {high:.3f}"
    spelt = wording.NOT_AVAILABLE if bits is None else f"{bits:.4f}"
    return (name, f"{found.tokens:,}", f"{found.nats:.4f}", between, f"{found.perplexity:.4f}", spelt)
