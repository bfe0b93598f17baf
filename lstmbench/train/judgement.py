"""What a validation decides: which weights are the best, when averaging begins, when training is over."""

from typing import cast

import msgspec

from lstmbench.model.language_model import LanguageModel
from lstmbench.records import TrainConfig
from lstmbench.train.resume import Position, Trainer


def scored_model(trainer: Trainer) -> LanguageModel:
    """The average of the weights once there is one, else the weights themselves."""
    if trainer.average is None or not int(trainer.average.n_averaged):
        return trainer.model
    return cast("LanguageModel", trainer.average.module)


def judged(position: Position, nats: float, config: TrainConfig) -> Position:
    """The position after a validation that gave so many nats."""
    if position.best_nats is None or nats < position.best_nats:
        return msgspec.structs.replace(position, best_nats=nats, since_best=0)
    position = msgspec.structs.replace(position, since_best=position.since_best + 1)
    waited = position.since_best >= config.besides.average_patience
    if config.besides.average == "nt-asgd" and waited and not position.averaging:
        return msgspec.structs.replace(position, averaging=True, since_best=0)  # the average gets its time
    return position


def is_over(position: Position, config: TrainConfig) -> bool:
    """Whether validations have waited in vain for a better one, as long as they were told to."""
    return 0 < config.besides.patience <= position.since_best
