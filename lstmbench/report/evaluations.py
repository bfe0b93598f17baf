"""How well texts are predicted, for a terminal."""

from collections.abc import Sequence

from lstmbench.records import Evaluation
from lstmbench.report import wording
from lstmbench.report.subjects import columns
from lstmbench.report.terminal import TerminalTable, subject_name

_COLUMNS = ("export · runtime", "tokens", "nats a token", "95 %", "perplexity", "bits/char")


def evaluation_tables(rows: Sequence[Evaluation]) -> list[TerminalTable]:
    """One table a text; every row passed the check, or is refused and has no number."""
    texts = dict.fromkeys(row.text for row in rows)
    return [TerminalTable(text, _COLUMNS, [_row(row) for row in rows if row.text == text]) for text in texts]


def _row(row: Evaluation) -> tuple[str, ...]:
    name, found = subject_name(columns(row.subject)), row.score
    if found is None:
        return (name, *[wording.NOT_AVAILABLE] * 4, "refused")
    low, high, bits = row.nats_low, row.nats_high, found.bits_per_character
    between = wording.NOT_AVAILABLE if low is None or high is None else f"{low:.3f} – {high:.3f}"
    spelt = wording.NOT_AVAILABLE if bits is None else f"{bits:.4f}"
    return (name, f"{found.tokens:,}", f"{found.nats:.4f}", between, f"{found.perplexity:.4f}", spelt)
