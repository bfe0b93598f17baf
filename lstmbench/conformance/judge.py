"""Every promise, asked one after the other."""

from collections.abc import Callable, Sequence

from lstmbench.conformance import promises
from lstmbench.conformance.subject import Subject
from lstmbench.errors import LstmbenchError, RuntimeMissingError
from lstmbench.records import Record

Promise = Callable[[Subject], str]


class Finding(Record, frozen=True, kw_only=True):
    """A promise, and what became of it."""

    promise: str
    says: str  # what it is
    kept: bool | None  # absent where it could not be asked
    broken: str = ""  # how, in one line


def conformance(
    subject: Subject, progress: Callable[[str], None], every: Sequence[Promise] = promises.EVERY
) -> tuple[Finding, ...]:
    """Ask for every promise; where it does not load nothing else can be asked.

    RuntimeMissingError where the adapter is not there at all.
    """
    findings: list[Finding] = []
    for promise in every:
        progress(f"{subject.runtime}: {promise.__name__}")
        if findings and findings[0].promise == "loads" and not findings[0].kept:
            findings.append(_finding(promise, kept=None))
            continue
        broken = _broken(promise, subject)
        findings.append(_finding(promise, kept=not broken, broken=broken))
    return tuple(findings)


def _broken(promise: Promise, subject: Subject) -> str:
    try:
        return promise(subject)
    except RuntimeMissingError:
        raise
    except LstmbenchError as error:
        return str(error)


def _finding(promise: Promise, *, kept: bool | None, broken: str = "") -> Finding:
    says = " ".join((promise.__doc__ or "").split())
    return Finding(promise=promise.__name__, says=says, kept=kept, broken=broken)
