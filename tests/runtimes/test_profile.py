"""The profile of one call beside the assignment that newer versions tell."""

import pytest

from lstmbench.model import folder
from lstmbench.model.weights import random_weights
from lstmbench.records import ModelConfig, ModelFolder

ort = pytest.importorskip("onnxruntime")

from lstmbench.export import export  # noqa: E402
from lstmbench.runtimes.onnxruntime_cpu import OnnxRuntimeCpu  # noqa: E402

LM = ModelConfig(head="lm", vocabulary_size=7, peephole="full", input_size=5, hidden_size=8, num_layers=2)
LAYER = ModelConfig(head="layer", peephole="diagonal", input_size=5, hidden_size=8, bidirectional=True)


@pytest.mark.skipif(not hasattr(ort.InferenceSession, "get_provider_graph_assignment_info"), reason="it cannot tell")
@pytest.mark.parametrize(
    ("config", "options"),
    [
        (LM, {"form": "scan"}),
        (LM, {"form": "step"}),
        (LM, {"form": "generate"}),
        (LAYER, {"form": "lstm", "lengths": True}),
    ],
)
def test_the_profile_sees_the_recurrent_nodes_that_the_assignment_tells(tmp_path, config, options):
    folder.write_config(tmp_path, ModelFolder(model=config))
    folder.write_weights(tmp_path, random_weights(config, seed=1), folder.WeightsNote(sha256=""))
    runtime = OnnxRuntimeCpu(export(tmp_path, precision="fp32", **options), threads=1)
    told = {part for part in runtime.placement() if part.recurrent}
    runtime.tells_assignment = False
    seen = {part for part in runtime.placement() if part.recurrent}
    assert {part.provider for part in seen} == {"CPUExecutionProvider"}
    # the optimisation after the assignment may join Slices into a Split, and take nodes of the body away
    computing = {(part.operator, part.precision) for part in told if part.precision}
    assert {(part.operator, part.precision) for part in seen if part.precision} <= computing
    assert {"Gemm", "LSTM"} & {part.operator for part in seen}
