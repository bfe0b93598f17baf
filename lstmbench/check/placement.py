"""Whose figures a row's are."""

from typing import Protocol


class Placed(Protocol):
    """What was promised a provider, and where its nodes ran: a `Subject`, or what is known of a file."""

    @property
    def provider(self) -> str:
        """That the runtime's name promises; empty where the engine has no such notion."""
        ...

    @property
    def strays(self) -> tuple[str, ...]:
        """The other providers that ran nodes which compute."""
        ...


def misplaced(subject: Placed) -> str:
    """Why no figure may bear the provider's name of a subject; empty if what computes ran there."""
    where = ", ".join(subject.strays)
    if not where:
        return ""
    return f"nodes that compute ran on {where}, not on {subject.provider} alone; --allow-mixed takes it, and says so"
