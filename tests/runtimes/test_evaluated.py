"""What holds the float64 evaluation, from a process to its parent."""

import numpy as np

from lstmbench.runtimes.evaluated import evaluations


def test_what_is_sent_is_what_is_read():
    want = np.arange(6.0).reshape(2, 3)
    answer = {"want y": want, "float32 error of y": want * 1e-7, "walk of y": np.array(1e-6)}
    answer |= {"want want y": want[0], "float32 error of want y": want[0] * 0, "walk of want y": np.array(2e-6)}
    found = evaluations(answer)
    assert list(found) == ["y", "want y"]
    assert found["y"].want is want
    assert found["y"].error is answer["float32 error of y"]
    assert [one.walk for one in found.values()] == [1e-6, 2e-6]
