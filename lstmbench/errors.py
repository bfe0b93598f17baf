"""Errors that a user can mend; each message is one line that says how.

LstmbenchError
├── CorpusError        the text: not there, not UTF-8, too short, a character outside the vocabulary
├── CheckpointError    a model folder: missing, foreign, damaged, or in the way
├── ExportError        a graph that cannot hold the model, or a file that failed its own check
├── GraphError         an ONNX graph that cannot be evaluated, or does not fit what it is judged by
├── RuntimeMissingError  a runtime, provider or extra that is not installed
├── WorkerError        the process that held a runtime crashed, hung or refused
│   ├── CrashError     it crashed, hung, exited or was killed, and so reported nothing
│   └── AnswerError    what it answered is wrong
├── RecordError        a file on disk that is damaged, of another version, or not ours
└── DiskError          a folder that cannot be written, a disk that is full

What only we can mend is a ValueError or an assertion, and leaves with exit status 70.
"""

from lstmbench.plain import sentence


class LstmbenchError(Exception):
    """Something that the user can mend; the text says how, in one line that is safe to show, whatever it quotes."""

    def __init__(self, text: str) -> None:
        super().__init__(sentence(text))


class CorpusError(LstmbenchError):
    """The text cannot be used as it is."""


class CheckpointError(LstmbenchError):
    """The model folder cannot be used as it is."""


class ExportError(LstmbenchError):
    """The model cannot take this form, or the written file was wrong and was removed."""


class GraphError(LstmbenchError):
    """An ONNX graph cannot be evaluated, or does not fit what it is to be judged by."""


class RuntimeMissingError(LstmbenchError):
    """A runtime, provider or extra is asked for that is not installed here."""


class WorkerError(LstmbenchError):
    """The process that holds a runtime crashed, hung or refused the work."""


class CrashError(WorkerError):
    """The process that holds a runtime crashed, hung, exited or was killed: it could not say what went wrong."""


class AnswerError(WorkerError):
    """A runtime that passed its check answered wrongly while it was timed."""


class RecordError(LstmbenchError):
    """A file on disk is damaged, of another version, or not ours."""


class DiskError(LstmbenchError):
    """A folder cannot be written, or the disk is full."""
