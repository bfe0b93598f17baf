"""Which precisions there are for which form, and a float32 graph made into one of them."""

import onnx_ir as ir

from lstmbench.errors import ExportError
from lstmbench.export.half import to_half
from lstmbench.export.integers import to_integers
from lstmbench.records import Form, ModelConfig, Precision


def demand_precision(form: Form, precision: Precision) -> None:
    """ExportError where ONNX Runtime has no operator for it."""
    if form == "lstm" and precision in ("int4", "int4a8"):
        raise ExportError(
            f"form 'lstm' cannot be {precision}: ONNX Runtime's LSTM operators end at int8; take form 'scan'"
        )
    if form == "generate" and precision == "fp16":
        raise ExportError("form 'generate' cannot be fp16: draws by cumulative sums need float32; take int8 or fp32")


def lower(model: ir.Model, precision: Precision, config: ModelConfig) -> None:
    """Change a float32 model in place."""
    if precision == "fp16":
        to_half(model)
    elif precision != "fp32":
        ways = ("", ".reverse")[: config.directions]
        recurrent = {f"l{k}{way}.R" for k in range(config.num_layers) for way in ways}
        to_integers(model, precision, recurrent if config.peephole == "full" else ())
