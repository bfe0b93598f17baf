"""Starting a process that holds one runtime, asking it, and saying in one line what went wrong."""

from types import TracebackType
from typing import Self, TypeVar

import msgspec

from lstmbench import errors
from lstmbench.environments import Chosen, choose
from lstmbench.errors import CrashError, LstmbenchError, RuntimeMissingError, WorkerError
from lstmbench.records import Record
from lstmbench.worker import wire
from lstmbench.worker.child import Child
from lstmbench.worker.messages import Close, Failure, Reply

_CLOSING_S = 5.0
_REPLIES: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)

R = TypeVar("R", bound=Record)


class Talk:
    """A process of its own for one runtime; what is asked of it, a class for each kind of model says."""

    def __init__(self, runtime: str, *, threads: int, timeout_s: float, chosen: Chosen | None = None) -> None:
        if threads < 1 or timeout_s <= 0:
            raise ValueError("a worker needs at least one thread and some time")
        self.runtime, self.timeout_s = runtime, timeout_s
        self.chosen = chosen or choose(runtime)
        self._closed = ""  # why, once it is
        self._child = Child(threads=threads, python=self.chosen.python)

    def close(self) -> None:
        """Let the runtime release what it holds, then end the process; what goes wrong here harms no answer."""
        if self._closed:
            return
        try:
            wire.send(self._child.channel, Close(), timeout_s=_CLOSING_S)
            self._child.wait_for_end(_CLOSING_S)
        except OSError:  # a timeout is one too: engines crash or hang at their end, after all answers are in
            pass
        finally:
            self._end("it is no longer needed")

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._child.pid

    def dismiss(self) -> str:
        """Close, and wait for the end of the process -> in one line what was wrong with it; empty if nothing."""
        started = self._child.descendants()
        wire.send(self._child.channel, Close(), timeout_s=_CLOSING_S)
        wrong = self._child.leave(_CLOSING_S, started)
        _, last_line = self._end("it is no longer needed")
        return f"{wrong}: {last_line}" if wrong and last_line else wrong

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, request: Record, kind: type[R], *, doing: str, timeout_s: float) -> R:
        """Send a request and wait for the reply of its kind, or for what went wrong `doing` it."""
        if self._closed:
            raise WorkerError(f"the worker of runtime {self.runtime!r} was closed before: {self._closed}")
        try:
            wire.send(self._child.channel, request, timeout_s=timeout_s)
            reply = wire.receive(self._child.channel, _REPLIES, timeout_s=timeout_s)
        except BaseException as error:
            ended, last_line = self._end(f"it failed while {doing}")
            what = _what_went_wrong(error, ended, timeout_s)
            if what is None:  # Ctrl-C, or a defect of ours
                raise
            quoted = f": {last_line}" if last_line else ""
            raise CrashError(f"runtime {self.runtime!r} {what} while {doing}{quoted}") from error
        if isinstance(reply, Failure):
            self._end(f"it failed while {doing}")
            raise _as_error(reply, f"runtime {self.runtime!r} failed while {doing}")
        assert isinstance(reply, kind), reply
        return reply

    def demand_version(self, version: str) -> None:
        """RuntimeMissingError where the process holds another version than was asked for, and so ends."""
        if self.chosen.version and version != self.chosen.version:
            self._end("it holds another version")
            raise RuntimeMissingError(f"asked for {self.runtime}, its process holds {version}: install it again")

    def _end(self, why: str) -> tuple[str, str]:
        """Kill the child -> how it ended, and the last line that it wrote."""
        self._closed = why
        return self._child.kill(), self._child.last_line()


def _what_went_wrong(error: BaseException, ended: str, timeout_s: float) -> str | None:
    if isinstance(error, TimeoutError):
        return f"gave no answer within {timeout_s:g} s"
    if isinstance(error, EOFError | OSError):
        return ended
    return "wrote into the worker's own channel" if isinstance(error, ValueError) else None


def _as_error(failure: Failure, who: str) -> LstmbenchError:
    if not failure.error:
        return WorkerError(f"{who}: {failure.message}")
    kind: type[LstmbenchError] = getattr(errors, failure.error)
    return kind(failure.message)
