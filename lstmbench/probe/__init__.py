"""What of the LSTM operator a runtime can do: right, wrong, refused or crashed, a feature at a time."""

from lstmbench.probe.dataset import write_vectors
from lstmbench.probe.survey import survey
from lstmbench.probe.verb import probe

__all__ = ["probe", "survey", "write_vectors"]
