"""Which opsets a file may be written in, and the oldest IR version that goes with each: what old runtimes load."""

from lstmbench.errors import ExportError

IR_VERSIONS = {18: 8, 19: 9, 20: 9, 21: 10}  # of the ONNX release that brought the opset
NEWEST = max(IR_VERSIONS)


def demand_opset(opset: int) -> None:
    """ExportError, with the range and why it ends where it does."""
    if opset not in IR_VERSIONS:
        raise ExportError(
            f"opset {opset} cannot be: take one from {min(IR_VERSIONS)}, the first whose Split takes a number of "
            f"parts, to {NEWEST}, the last that ONNX Runtime 1.20 loads"
        )
