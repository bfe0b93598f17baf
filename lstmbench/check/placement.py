"""Whose figures a subject's are."""

from lstmbench.records import Subject


def misplaced(subject: Subject) -> str:
    """Why no figure may bear the provider's name of a subject; empty if its recurrent nodes ran there."""
    where = ", ".join(subject.strays)
    if not where:
        return ""
    return f"recurrent nodes ran on {where}, not on {subject.provider} alone; --allow-mixed takes it, and says so"
