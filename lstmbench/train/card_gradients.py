"""What the model card says of gradients: how far they reached at the end, and how often they were clipped."""

import math
from collections.abc import Sequence

from lstmbench.train.journals import FlowRow, TrainingRow

_SECTION = """| Gradient of a token's loss, to a layer's state before it | {distances} |
|---|{rules}|
{layers}

Norms over h and c at the last validation, of weights trained so far: what falls to nothing within few steps is learnt
from no farther back, what grows is held by clipping. {clipped}

"""


def gradients(rows: Sequence[TrainingRow], flows: Sequence[FlowRow], *, clip_norm: float) -> str:
    """The section, as Markdown; nothing where none was measured."""
    if not flows or not flows[-1].reaches:
        return ""
    norms = {(one.layer, one.distance): math.hypot(one.h, one.c) for one in flows[-1].reaches}
    layers, distances = (sorted(set(part)) for part in zip(*norms, strict=True))
    return _SECTION.format(
        distances=" | ".join(f"{d} step{'s' * (d > 1)}" for d in distances),
        rules="|".join("---:" for _ in distances),
        layers="\n".join(f"| layer {k} | {' | '.join(f'{norms[k, d]:.1e}' for d in distances)} |" for k in layers),
        clipped=_clipped([row.gradient_norm for row in rows], clip_norm),
    )


def _clipped(norms: Sequence[float], most: float) -> str:
    over = sum(norm > most for norm in norms)
    return f"Of {len(norms)} steps written down, {over} had gradients above {most:g}, the largest {max(norms):.3g}."
