"""Whether an adapter keeps the contract of `lstmbench.runtimes.contract`, a promise at a time."""

from lstmbench.conformance.judge import Finding, conformance
from lstmbench.conformance.subject import Subject

__all__ = ["Finding", "Subject", "conformance"]
