"""What holds the float64 evaluation: a process that may take half of the machine's memory and no more."""

import subprocess
import sys
import textwrap

import numpy as np

from lstmbench.runtimes.evaluated import evaluations


def test_more_than_half_of_the_memory_is_an_error_and_no_kill():
    script = textwrap.dedent("""
        from types import SimpleNamespace
        import numpy as np, psutil
        from lstmbench.runtimes import evaluated
        psutil.virtual_memory = lambda: SimpleNamespace(total=2**31)  # as if the machine had 2 GiB
        evaluated._limit_memory()
        np.ones(2**20)  # 8 MiB
        try:
            np.ones(2**28)  # 2 GiB
        except MemoryError:
            print("refused")
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "refused"


def test_what_is_sent_is_what_is_read():
    want = np.arange(6.0).reshape(2, 3)
    answer = {"want y": want, "float32 error of y": want * 1e-7, "walk of y": np.array(1e-6)}
    answer |= {"want want y": want[0], "float32 error of want y": want[0] * 0, "walk of want y": np.array(2e-6)}
    found = evaluations(answer)
    assert list(found) == ["y", "want y"]
    assert found["y"].want is want
    assert found["y"].error is answer["float32 error of y"]
    assert [one.walk for one in found.values()] == [1e-6, 2e-6]
