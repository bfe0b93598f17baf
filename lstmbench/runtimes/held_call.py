"""A call on values that lie where the engine computes, and whose answer is copied when it is asked for."""

from collections.abc import Callable
from typing import Generic, TypeVar

from lstmbench.arrays import Floats, State

A = TypeVar("A")


class HeldCall(Generic[A]):
    """`call` returns when the device has finished; `told` copies what it gave to the host."""

    def __init__(self, call: Callable[[], A], told: Callable[[A], tuple[Floats, State]]) -> None:
        self._call, self._told = call, told

    def compute(self) -> None:
        """Make the call."""
        self._answer = self._call()

    def answer(self) -> tuple[Floats, State]:
        """What the last one gave."""
        return self._told(self._answer)
