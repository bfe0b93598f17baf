"""Records to tables, charts, Markdown and one HTML page; importing it loads neither pandas nor a chart library.

raw -> verdicts, speed: one line a subject -> tables (pandas), sheets (text), figures -> document -> page, markdown
"""

from lstmbench.report import extra
from lstmbench.report.detection import detection_tables, render_detection
from lstmbench.report.drift import terminal_table as drift_table
from lstmbench.report.drifted import drifted_alone, render_drift
from lstmbench.report.evaluations import evaluation_tables, evaluations_of
from lstmbench.report.probes import PROBE, probe_reasons, probe_tables, render_probes
from lstmbench.report.rendering import Rendered, frames, render
from lstmbench.report.setup_costs import cost_sheet, refusals, write_costs
from lstmbench.report.study import STUDY, render_study, study_tables
from lstmbench.report.summary import own_part
from lstmbench.report.survey import SURVEY, render_survey, survey_tables
from lstmbench.report.tables import latency_table, parity_table, throughput_table
from lstmbench.report.terminal import TerminalTable, advice_tables, arrivals_of, arrivals_table, terminal_tables

__all__ = [
    "PROBE",
    "STUDY",
    "SURVEY",
    "Rendered",
    "TerminalTable",
    "advice_tables",
    "arrivals_of",
    "arrivals_table",
    "cost_sheet",
    "detection_tables",
    "drift_table",
    "drifted_alone",
    "evaluation_tables",
    "evaluations_of",
    "extra",
    "frames",
    "latency_table",
    "own_part",
    "parity_table",
    "probe_reasons",
    "probe_tables",
    "refusals",
    "render",
    "render_detection",
    "render_drift",
    "render_probes",
    "render_study",
    "render_survey",
    "study_tables",
    "survey_tables",
    "terminal_tables",
    "throughput_table",
    "write_costs",
]
