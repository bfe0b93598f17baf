"""A planted block of known size is found, whether it is held, given back, or used again."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from lstmbench.worker.memory import Watch, resident_bytes

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is known on Linux alone")
PLANTED = 100 * 2**20


def use(size):
    np.ones(size, np.uint8).sum()


def test_a_planted_block_is_the_peak_within_three_percent_although_it_is_gone():
    watch = Watch()
    watch.restart()
    use(PLANTED)
    assert watch.peak_bytes() == pytest.approx(PLANTED, rel=0.03)


def test_a_peak_before_the_restart_does_not_count():
    watch = Watch()
    use(PLANTED)
    watch.restart()
    use(PLANTED // 4)
    assert watch.peak_bytes() == pytest.approx(PLANTED // 4, rel=0.06)


def test_what_stays_counts_from_the_baseline_on():
    watch = Watch()
    watch.restart()
    kept = np.ones(PLANTED, np.uint8)
    watch.restart()
    assert watch.peak_bytes() == pytest.approx(kept.nbytes, rel=0.03)
    assert resident_bytes() - watch.idle_bytes == pytest.approx(kept.nbytes, rel=0.03)


def test_small_blocks_that_were_freed_are_given_back_before_the_baseline():
    blocks = [bytearray(4096) for _ in range(PLANTED // 4096)]
    before = resident_bytes()
    del blocks
    assert Watch().idle_bytes < before - PLANTED // 2


def test_more_than_half_of_the_memory_is_an_error_and_no_kill():
    script = textwrap.dedent("""
        from types import SimpleNamespace
        import numpy as np, psutil
        from lstmbench.worker import memory
        psutil.virtual_memory = lambda: SimpleNamespace(total=2**31)  # as if the machine had 2 GiB
        memory.limit()
        np.ones(2**20)  # 8 MiB
        try:
            np.ones(2**28)  # 2 GiB
        except MemoryError:
            print("refused")
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "refused"
