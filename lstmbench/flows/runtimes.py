"""Which runtimes there are, here and in environments, and whether each really starts."""

from collections.abc import Callable, Iterator
from pathlib import Path

from lstmbench import environments
from lstmbench.environments import Wanted
from lstmbench.errors import LstmbenchError, RuntimeMissingError
from lstmbench.records import Environment, RuntimeState
from lstmbench.runtimes import PROBES, catalogue, names
from lstmbench.worker import meet

Progress = Callable[[str], None]


def survey(progress: Progress) -> tuple[RuntimeState, ...]:
    """Every known runtime in every place that has it; each is started in a process of its own."""
    every = sorted({*names(), *names(PROBES)})
    return tuple(state for name in every for state in _of(name, progress))


def install(asked: Wanted, progress: Progress) -> Environment:
    """Build an environment and start its runtime; LstmbenchError, and nothing left, where it does not start."""
    return environments.install(asked, prove=_version, progress=progress)


def _version(runtime: str, python: Path) -> str:
    return meet(runtime, python=python).met.version


def _of(name: str, progress: Progress) -> Iterator[RuntimeState]:
    known = catalogue.known(name)
    assert known is not None, name
    here, held = catalogue.is_here(known), environments.find(known.wheel) if known.wheel else ()
    if here:
        yield _started(name, name, None, progress)
    for one in held:
        yield _started(name, f"{name}=={one.version}", one, progress)
    if not here and not held:
        how = f"lstmbench runtimes install {name}" if known.wheel else f"pip install 'lstmbench[{known.extra}]'"
        why = f"not installed: {how if known.wheel or known.extra else f'install {known.package}'}"
        probe_only = _is_probe_only(name)
        yield RuntimeState(runtime=name, needs=_needs(name), where="nowhere", refused=why, probe_only=probe_only)


def _started(name: str, asked: str, one: Environment | None, progress: Progress) -> RuntimeState:
    progress(f"starting {asked}")
    try:
        met, start_s = meet(asked, python=_python(asked, one))
        version, offers, device, refused = met.version, met.offers, met.device, met.lacks
    except LstmbenchError as error:
        version, offers, device, refused, start_s = "" if one is None else one.version, (), "", str(error), None
    return RuntimeState(
        runtime=name,
        needs=_needs(name),
        where="here" if one is None else "environment",
        version=version,
        offers=offers,
        device=device,
        refused=refused,
        behind=_behind(asked, one),
        probe_only=_is_probe_only(name),
        size_bytes=None if one is None else one.size_bytes,
        start_s=start_s,
    )


def _is_probe_only(name: str) -> bool:
    known = catalogue.known(name)
    return known is not None and bool(known.probed)


def _behind(asked: str, one: Environment | None) -> str:
    moved = "" if one is None else environments.moved(one)
    return f"it was built with {moved}: lstmbench runtimes install {asked} builds it again" if moved else ""


def _python(asked: str, one: Environment | None) -> Path | None:
    if one is None:
        return None
    python = environments.python(one)
    if not python.exists():
        raise RuntimeMissingError(f"the Python under it is gone: lstmbench runtimes install {asked}")
    return python


def _needs(name: str) -> str:
    known = catalogue.known(name)
    assert known is not None, name
    package = known.wheel or known.package
    return f"{package}, {known.system}" if known.system else package
