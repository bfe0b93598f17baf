"""What ONNX's own LSTM cases find of the mistakes that are planted here."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import by_onnx
import mistakes

from lstmbench.records import ModelConfig

DIAGONAL = ModelConfig(head="layer", peephole="diagonal", input_size=3, hidden_size=4)


def test_what_is_right_passes_every_case():
    assert not by_onnx.catch_weights(dict)


@pytest.mark.parametrize("name", ["gates in order figo", "gates in order iofg", "P in order fio", "b halved"])
def test_weights_that_are_all_alike_hide_orders_and_not_sizes(name):
    assert by_onnx.catch_weights(mistakes.of(DIAGONAL)[name]) == (name == "b halved")


def test_an_engine_that_is_told_by_one_call_can_be_found():
    assert by_onnx.catch_adapter("SwapsHAndC") or by_onnx.catch_adapter("DropsTheLastStep")
    assert not by_onnx.catch_adapter("StateOfTheFirstCall")
