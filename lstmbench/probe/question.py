"""A feature as it is asked: the file, what goes in at each call, what is right, and how far an answer may be off."""

import hashlib
from typing import NamedTuple

import numpy as np
import onnx_ir as ir

from lstmbench.mistakes import OUTPUTS, Array, Case, Outputs, right
from lstmbench.probe.features import INTEGERS, Feature
from lstmbench.probe.graphs import feeds, graph
from lstmbench.probe.tolerance import tolerances


class Call(NamedTuple):
    """One call of a graph."""

    case: Case
    feeds: dict[str, Array]
    right: Outputs  # float64
    tolerances: tuple[float, float, float]

    @property
    def size(self) -> tuple[int, int]:
        """B and T."""
        first, second = self.case.tensors["X"].shape[:2]
        return (first, second) if self.case.how.layout else (second, first)


class Question(NamedTuple):
    """One graph and its calls."""

    feature: Feature
    model: bytes
    calls: tuple[Call, ...]

    @property
    def dtype(self) -> "np.dtype[np.generic]":
        """Of every output."""
        return self.feature.cases[0].tensors["X"].dtype

    @property
    def sha256(self) -> str:
        """Of all that is asked and expected."""
        sha = hashlib.sha256(self.model)
        for call in self.calls:
            for name, array in (*call.feeds.items(), *zip(OUTPUTS, call.right, strict=True)):
                sha.update(
                    f"{name} {array.dtype} {array.shape}".encode() + np.round(array.astype(np.float64), 9).tobytes()
                )
            sha.update(" ".join(f"{tolerance:.1e}" for tolerance in call.tolerances).encode())
        return sha.hexdigest()


def question(feature: Feature) -> Question:
    """Ask it."""
    integers = feature.form in INTEGERS
    calls = [Call(case, feeds(case), right(case), tolerances(case, integers=integers)) for case in feature.cases]
    return Question(feature, ir.to_proto(graph(feature)).SerializeToString(deterministic=True), tuple(calls))
