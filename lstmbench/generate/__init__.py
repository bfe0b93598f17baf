"""Text from a prompt, one token at a time."""

from lstmbench.generate.text import Parting, Sampling, Step, first_parting, generate, told_fragile, vocabulary_of

__all__ = ["Parting", "Sampling", "Step", "first_parting", "generate", "told_fragile", "vocabulary_of"]
