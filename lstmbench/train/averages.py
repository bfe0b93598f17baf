"""Weights averaged over steps, which predict better than the last ones.

`ema`: after each step a <- d a + (1 - d) w, from the first w on. `nt-asgd`: the plain mean of all w since validation
was no better for a while (Merity et al. 2018, algorithm 1; Polyak & Juditsky 1992).
"""

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lstmbench.records import TrainConfig


def new_average(model: nn.Module, config: TrainConfig) -> AveragedModel | None:
    """An average of nothing yet; None where none is wanted."""
    match config.besides.average:
        case "ema":
            return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.besides.average_decay))  # type: ignore[no-untyped-call] # torch has no type for it
        case "nt-asgd":
            return AveragedModel(model)
    return None
