"""The bounds of the machine, from a process that has the threads of those that are measured."""

from lstmbench.worker.messages import FindRoof, Rates
from lstmbench.worker.talk import Talk


class Gauge(Talk):
    """A process without a runtime; WorkerError for what it reported, CrashError where it could not."""

    def __init__(self, *, threads: int, timeout_s: float = 300) -> None:
        super().__init__("numpy", threads=threads, timeout_s=timeout_s)

    def rates(self, weight_bytes: int) -> Rates:
        """Of float32 products, and of reading so many bytes of weights."""
        request = FindRoof(weight_bytes=weight_bytes)
        return self.ask(request, Rates, doing="measuring the machine's bounds", timeout_s=self.timeout_s)
