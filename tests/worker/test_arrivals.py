"""LoadGen in the worker: who waits, waits from its arrival on, and LoadGen's verdict is kept as it is."""

import time

import numpy as np
import pytest

from lstmbench.errors import AnswerError, RuntimeMissingError, WorkerError
from lstmbench.records import Arrivals
from lstmbench.worker import Worker, arrivals

CALL_S, STALL_S = 0.0005, 0.2


def trace(*queries):
    """As LoadGen writes it: of each row the query, when it was due in µs, and ns until it was answered."""
    line = (
        '{"name":"Sample","cat":"default","ph":"b","pid":1,"id":0,"ts":%f,"args":{"sample_seq":0,"query_seq":%d,'
        '"sample_idx":3,"issue_start_ns":9,"complete_ns":%d}},'
    )
    return "\n".join(line % (due, query, took) for query, due, took in queries).encode()


def test_a_query_is_answered_with_its_last_row_and_they_stand_in_the_order_of_arrival():
    found = arrivals._queries(trace((1, 70.0, 5), (0, 20.0, 100), (0, 20.0, 300)))
    assert found == [(20.0, 300, 2), (70.0, 5, 1)]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"scenario": "server"}, "needs a rate"),
        ({"scenario": "server", "rate": 5.0}, "needs a rate"),
        ({"scenario": "offline", "rate": 5.0, "within_s": 1.0}, "needs a rate"),
        ({"scenario": "offline", "rate": 5.0}, "needs a rate"),
        ({"scenario": "offline", "within_s": 1.0}, "needs a rate"),
        ({"scenario": "single-stream", "batch": 2}, "one row a query"),
    ],
)
def test_what_cannot_be_asked_is_no_record(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        Arrivals(time=4, seconds=1, **wrong)


def test_without_loadgen_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mlperf_loadgen", None)
    with pytest.raises(RuntimeMissingError, match=r"lstmbench\[loadgen\]"):
        arrivals.serve(lambda: None, 1.0, Arrivals(scenario="offline", time=1, seconds=1))


class TestServing:
    """With LoadGen itself."""

    @pytest.fixture(autouse=True)
    def _loadgen(self):
        pytest.importorskip("mlperf_loadgen")

    def served(self, call, **asked):
        known = {"scenario": "server", "time": 4, "seconds": 0.5, "rate": 200.0, "within_s": 0.05}
        return arrivals.serve(call, CALL_S, Arrivals(**known | asked))

    def test_a_stall_holds_up_all_who_arrive_meanwhile(self):
        """A clock around each call sees one slow in a hundred: who arrives sees a queue."""
        calls = []

        def call():
            calls.append(0)
            time.sleep(STALL_S if len(calls) == 20 else CALL_S)

        latency_s = np.array(self.served(call).latency_s)
        assert len(latency_s) == len(calls) >= 100
        waited = latency_s > STALL_S / 10
        assert waited.sum() >= 10  # 0.2 s at 200 a second are forty arrivals
        assert latency_s.max() >= STALL_S
        assert np.median(latency_s) < STALL_S / 10

    def test_the_verdict_is_loadgens(self):
        good = self.served(lambda: None, rate=1000.0, percentile=0.5, within_s=1.0)
        assert (good.valid, good.reasons) == (True, ())
        bad = self.served(lambda: time.sleep(0.002), within_s=1e-4)
        assert not bad.valid
        assert "too many queries over the bound" in bad.reasons

    def test_arrivals_are_those_of_a_poisson_process_by_seed(self):
        first, again, other = (self.served(lambda: None, seed=seed).due_s for seed in (1, 1, 2))
        assert np.allclose(first[:100], again[:100])
        assert not np.allclose(first[:100], other[:100])
        gaps = np.diff(first[:100])
        assert 0.5 < gaps.mean() * 200 < 2
        assert 0.5 < gaps.std() / gaps.mean() < 2  # 1 for an exponential, 0 for a metronome

    def test_rows_that_arrive_together_are_one_call(self):
        calls = []
        many = {"rate": 0.0, "within_s": 0.0, "batch": 4, "seconds": 0.05}
        served = self.served(lambda: calls.append(0), scenario="multi-stream", **many)
        assert len(served.latency_s) == len(calls) >= 100
        offline = self.served(lambda: calls.append(0), scenario="offline", **many)
        assert len(offline.latency_s) == 1
        assert offline.rows_per_s > 0

    def test_what_a_call_raises_is_raised_and_the_rest_is_not_called(self):
        calls = []

        def call():
            calls.append(0)
            raise WorkerError("no device")

        with pytest.raises(WorkerError, match="no device"):
            self.served(call, scenario="single-stream", rate=0.0, within_s=0.0)
        assert len(calls) == 1

    def test_more_than_can_ever_be_answered_is_refused(self):
        with pytest.raises(WorkerError, match=r"1e\+06 queries a second are over 4 times what it answers, 2e\+03"):
            self.served(lambda: None, rate=1e6)

    @pytest.mark.usefixtures("fakes")
    def test_a_runtime_serves_in_its_process_and_is_checked(self, fake_export):
        asked = Arrivals(scenario="single-stream", time=4, seconds=0.05)
        with Worker("fakes:Echo", fake_export) as worker:
            assert worker.serve(asked, np.ones((1, 4), np.int64)).latency_s
        with Worker("fakes:NotANumber", fake_export) as worker, pytest.raises(AnswerError, match="NaN"):
            worker.serve(asked, np.ones((1, 4), np.int64))
