"""The learning rate: linear warm-up, then down to a twentieth by half a cosine or a line, as 1 / √step, or level."""

import math

from lstmbench.records import TrainConfig

FLOOR = 0.05  # of the peak, at the last step


def learning_rate(step: int, config: TrainConfig) -> float:
    """The rate of step 0, 1, …, steps - 1."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    match config.besides.schedule:
        case "constant":
            return config.learning_rate
        case "rsqrt":
            return config.learning_rate * math.sqrt(max(1, config.warmup_steps) / (step + 1))
    done = min(1.0, (step - config.warmup_steps) / max(1, config.steps - 1 - config.warmup_steps))
    left = 1 - done if config.besides.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    return config.learning_rate * (FLOOR + (1 - FLOOR) * left)
