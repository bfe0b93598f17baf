"""What an ONNX graph computes in float64, as the standard has it; no runtime and no model of ours is asked."""

from lstmbench.evaluator.evaluate import Evaluator
from lstmbench.evaluator.lstm import Attributes, Direction, lstm, one_step

__all__ = ["Attributes", "Direction", "Evaluator", "lstm", "one_step"]
