"""The frozen records that flow between verbs and lie on disk: versioned, validated when read.

Shapes: B batch, T time, E input, H hidden, L layers, D directions, V vocabulary. Times are in seconds.
"""

from lstmbench.records.arrivals import ArrivalRow, Arrivals, Scenario, Served
from lstmbench.records.base import (
    MOST_THREADS,
    Count,
    Form,
    Head,
    Peephole,
    Positive,
    Precision,
    Record,
    Region,
    Size,
    Threads,
    Unit,
    WorkloadKind,
)
from lstmbench.records.bench import Load, Machine, Measurement, Timing, Workload
from lstmbench.records.bisect import Difference
from lstmbench.records.change import ChangeRow
from lstmbench.records.check import (
    MOVES,
    UNTOLD,
    Asked,
    Clearance,
    ParityRow,
    Placement,
    Start,
    Subject,
    labelled,
    strays,
)
from lstmbench.records.cost import Cost, Install
from lstmbench.records.drift import Against, DriftRow
from lstmbench.records.environment import ColdStart, Environment, RuntimeCost, RuntimeState
from lstmbench.records.evaluation import Evaluation
from lstmbench.records.export import (
    TIMED,
    DataFile,
    Decoding,
    ExportedModel,
    ExportRecord,
    Quality,
    ShapeCheck,
    steps_of,
    without_baseline,
)
from lstmbench.records.grid import Block, GridFile, Layers
from lstmbench.records.memory import Weight
from lstmbench.records.model import CorpusInfo, ModelConfig, ModelFolder, Recipe, Score, TrainConfig
from lstmbench.records.probe import Finding, MistakeRow, ProbeError, ProbeRow, Survey
from lstmbench.records.roof import Roof
from lstmbench.records.study import Study, StudyRow

__all__ = [
    "MOST_THREADS",
    "MOVES",
    "TIMED",
    "UNTOLD",
    "Against",
    "ArrivalRow",
    "Arrivals",
    "Asked",
    "Block",
    "ChangeRow",
    "Clearance",
    "ColdStart",
    "CorpusInfo",
    "Cost",
    "Count",
    "DataFile",
    "Decoding",
    "Difference",
    "DriftRow",
    "Environment",
    "Evaluation",
    "ExportRecord",
    "ExportedModel",
    "Finding",
    "Form",
    "GridFile",
    "Head",
    "Install",
    "Layers",
    "Load",
    "Machine",
    "Measurement",
    "MistakeRow",
    "ModelConfig",
    "ModelFolder",
    "ParityRow",
    "Peephole",
    "Placement",
    "Positive",
    "Precision",
    "ProbeError",
    "ProbeRow",
    "Quality",
    "Recipe",
    "Record",
    "Region",
    "Roof",
    "RuntimeCost",
    "RuntimeState",
    "Scenario",
    "Score",
    "Served",
    "ShapeCheck",
    "Size",
    "Start",
    "Study",
    "StudyRow",
    "Subject",
    "Survey",
    "Threads",
    "Timing",
    "TrainConfig",
    "Unit",
    "Weight",
    "Workload",
    "WorkloadKind",
    "labelled",
    "steps_of",
    "strays",
    "without_baseline",
]
