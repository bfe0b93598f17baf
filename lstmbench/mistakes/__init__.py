"""Wrong readings of the LSTM operator, each as a function of a case: to plant them, and to name what an engine does."""

from lstmbench.mistakes.case import OUTPUTS, Array, Case, Outputs, distance, right
from lstmbench.mistakes.known import MISTAKES
from lstmbench.mistakes.mistake import Mistake, both

__all__ = ["MISTAKES", "OUTPUTS", "Array", "Case", "Mistake", "Outputs", "both", "distance", "right"]
