"""uv where it is here, else venv and pip: making an environment, and what is in it."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lstmbench.environments import index, place
from lstmbench.errors import RuntimeMissingError

_TELL = (
    "import importlib.metadata as m, json, platform; "
    "print(json.dumps([platform.python_version(), {d.metadata['Name']: d.version for d in m.distributions()}]))"
)


_FETCHED = "fetched"  # a folder of it, while it is built


class Held(NamedTuple):
    """What an environment holds."""

    python: str
    packages: dict[str, str]


def build(folder: Path, requirements: Sequence[str]) -> None:
    """Make an environment of this Python and install into it; RuntimeMissingError in one line where that fails."""
    uv = _uv()
    if uv:
        settings = index.for_uv()
        run([*uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(folder)], settings)
        into = ["--python", str(place.interpreter(folder)), "--index-strategy", "unsafe-best-match"]
        run([*uv, "pip", "install", *into, *requirements], settings, requirements)
        return
    if importlib.util.find_spec("pip") is None:
        raise RuntimeMissingError("neither uv nor pip is here to build an environment with: python -m ensurepip")
    run([sys.executable, "-I", "-m", "venv", "--without-pip", str(folder)])
    if (ours := Path(sys.prefix) / "pip.conf").is_file():  # pip reads one beside the Python that it runs on
        shutil.copy(ours, folder)
    pip = [sys.executable, "-I", "-m", "pip", "--python", str(place.interpreter(folder))]
    fetched = folder / _FETCHED
    run([*pip, "download", "--no-input", "--dest", str(fetched), *requirements], {}, requirements)
    run(
        [*pip, "install", "--no-input", "--no-compile", "--no-deps", *map(str, sorted(fetched.iterdir()))],
        {},
        requirements,
    )


def fetched(folder: Path) -> dict[str, int]:
    """Bytes of the file of each package that was fetched to build it, and take these away; empty where uv did."""
    there = folder / _FETCHED
    sizes = {_name(path): path.stat().st_size for path in there.glob("*")}
    shutil.rmtree(there, ignore_errors=True)
    return sizes


def _name(path: Path) -> str:
    # a worker abroad imports this module too, and has no such package
    from packaging.utils import parse_sdist_filename, parse_wheel_filename

    is_wheel = path.suffix == ".whl"
    return parse_wheel_filename(path.name)[0] if is_wheel else parse_sdist_filename(path.name)[0]


def installed(python: Path) -> Held:
    """Every package that this Python has."""
    version, packages = json.loads(run([str(python), "-I", "-c", _TELL]))
    return Held(version, dict(sorted(packages.items())))


def _uv() -> list[str]:
    """The extra's, or the one on the PATH; none where there is none."""
    if importlib.util.find_spec("uv") is not None:
        return [sys.executable, "-m", "uv"]
    found = shutil.which("uv")
    return [found] if found else []


def run(command: Sequence[str], settings: Mapping[str, str] | None = None, asked: Sequence[str] = ()) -> str:
    """What a program writes to stdout; RuntimeMissingError in one line where it fails."""
    # what Python is told by its environment is meant for this one
    environ = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    done = subprocess.run(
        command, env=environ | dict(settings or {}), capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise RuntimeMissingError(_why(f"{done.stdout}\n{done.stderr}", asked))
    return done.stdout


def _why(written: str, asked: Sequence[str]) -> str:
    """What pip or uv wrote, in one line."""
    wheel, _, version = asked[0].partition("==") if asked else ("", "", "")
    if re.search(
        r"Retrying \(Retry|Request failed after|[Cc]onnection refused|dns error|error sending request", written
    ):
        return f"the package index cannot be reached, and {asked[0]} cannot be installed without it"
    if re.search(r"No space left on device|os error 28|Errno 28", written):
        return f"no space is left where environments are built: {place.root()}"
    versions = re.search(rf"requirement {re.escape(wheel)}\b.*\(from versions: (.*)\)", written)
    if versions and version and versions[1] != "none":
        return f"the package index has no {wheel} {version} for this Python; it has {versions[1]}"
    if versions or re.search("No matching distribution|not found in the package registry|no versions? of", written):
        return f"the package index has no {' '.join(filter(None, (wheel, version)))} for this Python"
    lines = [line.strip() for line in written.splitlines() if line.strip()]
    errors = [line for line in lines if re.match("error|×", line, re.IGNORECASE)] or lines[-1:]
    return f"the environment could not be built: {' '.join(errors)}"
