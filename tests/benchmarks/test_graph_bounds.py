"""How near ONNX Runtime's errors come to those of a graph's own float32 runs, from which bounds follow; shown.

    pytest tests/benchmarks/test_graph_bounds.py

Random files around the LSTM operator and files with the recurrence written out, at random shapes; an output's error
over the largest of the runs. `lstmbench.parity.graphs` says what these figures stand behind.
"""

import sys

import numpy as np
import pytest

from lstmbench.parity.graphs import GraphBound

ort = pytest.importorskip("onnxruntime")

FILES = 1000


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["draw_operator", "draw_written"])
def test_errors_over_those_of_the_graphs_own_runs(foreign_graphs, kind, capsys):
    rng, taken = np.random.default_rng(0), []
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    for _ in range(FILES):
        batch, time = int(rng.choice([1, 2, 5, 9])), int(rng.choice([1, 2, 3, 7, 16, 33]))
        model, feeds = getattr(foreign_graphs, kind)(rng, batch, time)
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        expected = GraphBound(model).expect(feeds)
        for got, one in zip(session.run(list(expected), feeds), expected.values(), strict=True):
            error = float(np.abs(got - one.want).max())
            taken.append((error / one.float32_error if one.float32_error else np.nan, error / one.bound))
    beside, share = np.nanmedian(np.array(taken)[:, 0]), np.quantile(np.array(taken)[:, 1], [0.5, 0.999, 1])
    with capsys.disabled():
        sys.stdout.write(
            f"\n{kind}: {FILES} files, {len(taken)} outputs: error over that of the graph's own runs {beside:.2f} "
            f"in the median; share of the bound {share[0]:.0%} in the median, one in a thousand above {share[1]:.0%}, "
            f"at most {share[2]:.0%}\n"
        )
