"""`PeepholeLSTM` while torch.export reads it: no loop over time, so that T and B stay open.

A loop in Python would be unrolled at the example's T. In its place, while torch.onnx.export reads it, `diagonal` and
`none` become the ONNX operator LSTM, one node a layer. What the operator cannot hold (`full`, float64), and whatever
torch.export reads for itself, becomes a scan, one a direction, which ONNX has too.
"""

import torch

from lstmbench.errors import ExportError
from lstmbench.model.traced import packing

NO_TRACER = (
    "PeepholeLSTM cannot be traced by torch.jit.trace or torch.onnx.export(dynamo=False), which freeze the number of"
    " steps: use torch.onnx.export(..., dynamo=True) or torch.export.export"
)
NO_SCRIPT = (
    "PeepholeLSTM cannot be scripted by torch.jit.script: use torch.export.export or torch.onnx.export(dynamo=True)"
)

packing.stand_in()


def under_export() -> bool:
    """Whether a graph is being drawn now; ExportError where it could only be one with T frozen."""
    if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call] # torch.jit has no types
        raise ExportError(NO_TRACER)
    return torch.compiler.is_exporting()
