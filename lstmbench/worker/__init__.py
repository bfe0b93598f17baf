"""A process that holds one runtime and answers over a channel of its own, never stdout; for check and bench alike."""

from lstmbench.worker.gauge import Gauge
from lstmbench.worker.graphs import GraphWorker
from lstmbench.worker.meeting import Started, meet
from lstmbench.worker.messages import Footprint, Rates, Samples, WorkerInfo
from lstmbench.worker.process import Worker

__all__ = ["Footprint", "Gauge", "GraphWorker", "Rates", "Samples", "Started", "Worker", "WorkerInfo", "meet"]
