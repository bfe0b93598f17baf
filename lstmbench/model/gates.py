"""Gate orders, as data: every permutation in the project is derived from these.

i input gate, f forget gate, g (or c) candidate, o output gate.
"""

TORCH_GATES = "ifgo"  # torch.nn.LSTM: rows of weight_ih, weight_hh, biases; here also weight_ch of `full`
ONNX_GATES = "iofg"  # ONNX LSTM, spec "Equations": W, R, B (the spec writes c for g)
TORCH_PEEPHOLES = "ifo"  # weight_ch of `diagonal`
ONNX_PEEPHOLES = "iof"  # ONNX LSTM input P


def order(source: str, target: str) -> list[int]:
    """Where each gate of `target` stands in `source`: from 'ifgo' to 'iofg' -> [0, 3, 1, 2]."""
    return [source.index(gate) for gate in target]
