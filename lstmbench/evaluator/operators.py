"""The operators of ours that stand in the place of those of `onnx.reference`; the LSTM here."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx.reference.op_run import OpRun

from lstmbench.evaluator.amended import LRN, LpNormalization, OneHot, Resize
from lstmbench.evaluator.control import Loop, Scan
from lstmbench.evaluator.lstm import Attributes, lstm
from lstmbench.evaluator.normalise import InstanceNormalization, LayerNormalization
from lstmbench.evaluator.sums import Gemm, GlobalAveragePool, MatMul, ReduceLogSumExp, ReduceMean, ReduceSum, Sums

Array = NDArray[Any]


class LSTM(OpRun):
    """As the specification has it, the terms of its products in any order."""

    sums: Sums

    def _run(self, X: Array, W: Array, R: Array, *optional: Array | None, **told: Any) -> tuple[Array, ...]:
        padded: list[Array | None] = [*optional, *[None] * (5 - len(optional))]
        B, lengths, h, c, P = padded
        how = Attributes(
            direction=told["direction"],
            activations=tuple(told["activations"] or ()),
            activation_alpha=tuple(told["activation_alpha"] or ()),
            activation_beta=tuple(told["activation_beta"] or ()),
            clip=told["clip"],
            input_forget=bool(told["input_forget"]),
            layout=told.get("layout") or 0,
        )
        _demand_shapes(X, W, R, {"B": B, "sequence_lens": lengths, "initial_h": h, "initial_c": c, "P": P}, how)
        if (said := told.get("hidden_size")) and said != R.shape[2]:
            raise ValueError(f"hidden_size of an LSTM is {said}, its R has the shape {R.shape}")
        self.sums.steps += X.shape[how.layout] * len(W)
        features, units = self.sums.order(W.shape[2]), self.sums.order(R.shape[2])
        rows = [n * R.shape[2] + units for n in range(8)]
        four, eight, three = np.concatenate(rows[:4]), np.concatenate(rows), np.concatenate(rows[:3])
        outputs = lstm(
            X[..., features],
            W[:, four][..., features],
            R[:, four][..., units],
            None if B is None else B[:, eight],
            lengths,
            None if h is None else h[..., units],
            None if c is None else c[..., units],
            None if P is None else P[:, three],
            how=how,
        )
        return tuple(output[..., np.argsort(units)] for output in outputs)[: max(1, len(self.onnx_node.output))]


def _demand_shapes(X: Array, W: Array, R: Array, others: dict[str, Array | None], how: Attributes) -> None:
    """ValueError where shapes do not fit: NumPy would spread a state of one row over all."""
    D, H, B = W.shape[0], R.shape[2], X.shape[1 - how.layout]
    state = (B, D, H) if how.layout else (D, B, H)
    want = {"B": (D, 8 * H), "sequence_lens": (B,), "initial_h": state, "initial_c": state, "P": (D, 3 * H)}
    wrong = {name: array.shape for name, array in others.items() if array is not None and array.shape != want[name]}
    if (2 if how.direction == "bidirectional" else 1) != D or W.shape[1:] != (4 * H, X.shape[2]) or wrong:
        seen = {"X": X.shape, "W": W.shape, "R": R.shape} | wrong
        raise ValueError(f"the shapes of an LSTM do not fit: {', '.join(f'{name} {s}' for name, s in seen.items())}")


def replaced(sums: Sums) -> list[type[OpRun]]:
    """The operators that stand in the place of those of `onnx.reference`, bound to the sums of an evaluator."""
    summing: tuple[type[OpRun], ...] = (MatMul, Gemm, LSTM, ReduceSum, ReduceMean, ReduceLogSumExp, GlobalAveragePool)
    summing += (LRN, LpNormalization, LayerNormalization, InstanceNormalization)
    return [Scan, Loop, OneHot, Resize, *(type(kind.__name__, (kind,), {"sums": sums}) for kind in summing)]
