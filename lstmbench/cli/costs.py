"""What a lower precision costs, as a table for `export` and for `check`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lstmbench.cli.screen import say, spinner, table

if TYPE_CHECKING:
    from lstmbench.flows.by_task import Cost
    from lstmbench.records import Clearance, Quality

COLUMNS = ("perplexity", "change", "most", "KL", "most", "top-1", "least")
TITLE = "Beside the trained model, on unseen text; KL in nats, most and least: bounds with 95 % confidence"


def cells(quality: "Quality") -> list[str]:
    """In the order of COLUMNS."""
    perplexity = "n/a" if quality.perplexity is None else f"{quality.perplexity:.3f}"
    changes = (quality.perplexity_change, quality.perplexity_change_at_most)
    divergences = (quality.kl_nats, quality.kl_nats_at_most)
    agreements = (quality.top1_agreement, quality.top1_agreement_at_least)
    return [
        perplexity,
        *("n/a" if change is None else f"{change:+.2%}" for change in changes),
        *("n/a" if nats is None else f"{nats:.1e}".replace("e-0", "e-") for nats in divergences),
        *("n/a" if share is None else f"{share:.2%}" for share in agreements),
    ]


def costs_of(clearances: "Sequence[Clearance]") -> "list[Cost]":
    """Of every file below fp32 that was checked."""
    if all(one.exported.record.precision == "fp32" for one in clearances):
        return []
    from lstmbench.flows.by_task import costs

    with spinner() as progress:
        return costs(clearances, progress)


def say_costs(found: "Sequence[Cost]", *, shown: bool) -> bool:
    """Print what every file below fp32 costs, if it is to be shown, and which promise is not kept; whether all are."""
    rows = []
    for cost in found:
        name = f"{cost.clearance.exported.name} · {cost.clearance.subject.runtime}"
        known = ["n/a"] * len(COLUMNS) if cost.quality is None else cells(cost.quality)
        rows.append(
            [name, *known, "record" if cost.source == "recorded" else "text" if cost.source == "measured" else "n/a"]
        )
        if cost.quality is None:
            say(f"{name}: what the precision costs is {cost.source}", err=True)
        if cost.broken:
            say(f"{name}: {cost.broken}", err=True)
    if shown and rows:
        table(TITLE, ["export · runtime", *COLUMNS, "from"], rows)
    return not any(cost.broken for cost in found)
