"""Any ONNX file on every runtime, against the float64 evaluation of a graph or against a checkpoint."""

from lstmbench.check.foreign.outcome import ForeignReport, ForeignRow
from lstmbench.check.foreign.verify import check_file

__all__ = ["ForeignReport", "ForeignRow", "check_file"]
