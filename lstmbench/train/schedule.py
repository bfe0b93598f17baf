"""The learning rate: linear warm-up, then half a cosine down to a twentieth."""

import math

from lstmbench.records import TrainConfig

FLOOR = 0.05  # of the peak, at the last step


def learning_rate(step: int, config: TrainConfig) -> float:
    """The rate of step 0, 1, …, steps - 1."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    done = (step - config.warmup_steps) / max(1, config.steps - 1 - config.warmup_steps)
    return config.learning_rate * (FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))
