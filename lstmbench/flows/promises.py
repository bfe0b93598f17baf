"""What the record of a file promises of its quality, beside what the file gives on the same text.

Two measurements of one file by one runtime on one text differ by the float32 rounding of their machines, which is far
less than the text's rows differ from one another. So the interval of the rows is allowed, either way: the file may not
be worse than the record's own bound, nor the record better than the lower end of what was measured.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from lstmbench.records import Quality

_SLIGHT = 1e-6  # of a perplexity or a nat: the rounding of another machine, far below what any precision costs
_FEWEST = 3  # tokens of N in which no disagreement was seen: 3/N is the 95 % bound of such a share


class _Figure(NamedTuple):
    """The less, the better."""

    name: str
    mean: float | None
    most: float | None
    words: str  # how a number of it is written

    def told(self, value: float) -> str:
        return self.words.format(value)


def broken(recorded: Quality, found: Quality, *, same: bool) -> str:
    """The first promise of a record that is not so, in words; empty if all are kept.

    `same`: the record is of this text and of this runtime; otherwise the bound of its perplexity alone counts.
    """
    pairs = zip(_figures(recorded), _figures(found), strict=True)
    slack = {"share of other tokens": max(_SLIGHT, _FEWEST / max(1, found.tokens))}
    for claim, fact in pairs if same else [next(pairs)]:
        slight = slack.get(claim.name, _SLIGHT)
        for why in _not_so(claim, fact, slight, mean=same):
            return why
    return ""


def _not_so(claim: _Figure, fact: _Figure, slight: float, *, mean: bool) -> Iterator[str]:
    if fact.mean is None or fact.most is None:
        return
    if claim.most is not None and fact.mean > claim.most + slight:
        yield (
            f"its record promises a {claim.name} of at most {claim.told(claim.most)}; "
            f"on the held-out text it is {fact.told(fact.mean)}"
        )
    if mean and claim.mean is not None and claim.mean < fact.mean - (fact.most - fact.mean) - slight:
        yield (
            f"its record says a {claim.name} of {claim.told(claim.mean)}; "
            f"on the held-out text it is {fact.told(fact.mean)}"
        )


def _figures(quality: Quality) -> tuple[_Figure, ...]:
    agreed, least = quality.top1_agreement, quality.top1_agreement_at_least
    change, most = quality.perplexity_change, quality.perplexity_change_at_most
    width = None if change is None or most is None else math.log1p(most) - math.log1p(change)
    file = quality.perplexity
    return (
        _Figure("perplexity change", change, most, "{:+.3%}"),
        _Figure("perplexity", file, None if file is None or width is None else file * math.exp(width), "{:.3f}"),
        _Figure("KL divergence", quality.kl_nats, quality.kl_nats_at_most, "{:.1e} nats"),
        _Figure(
            "share of other tokens",
            None if agreed is None else 1 - agreed,
            None if least is None else 1 - least,
            "{:.3%}",
        ),
    )
