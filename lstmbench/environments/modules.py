"""npm: packages of Node.js beside those of Python, in `node_modules` of the same environment."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from lstmbench.errors import RuntimeMissingError


def add(folder: Path, package: str, version: str = "") -> None:
    """Install into an environment, the newest if no version is named; RuntimeMissingError in one line where it fails.

    No script of the package is run: they fetch binaries for GPUs.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeMissingError(f"{package} needs Node.js and npm: apt-get install nodejs npm")
    wanted = f"{package}@{version}" if version else package
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), wanted]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise RuntimeMissingError(_why(done.stderr, wanted))


def held(folder: Path) -> dict[str, str]:
    """Every package that npm put there, with its version."""
    found = [*folder.glob("node_modules/*/package.json"), *folder.glob("node_modules/@*/*/package.json")]
    told = [json.loads(path.read_text(encoding="utf-8")) for path in found]
    return {str(one["name"]): str(one["version"]) for one in told}


def size_bytes(folder: Path) -> int:
    """Of all that npm put there."""
    return sum(path.lstat().st_size for path in (folder / "node_modules").rglob("*") if not path.is_dir())


def _why(written: str, wanted: str) -> str:
    if re.search("E404|ETARGET", written):
        return f"npm's registry has no {wanted}"
    if re.search("ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN", written):
        return f"npm's registry cannot be reached, and {wanted} cannot be installed without it"
    if "ENOSPC" in written:
        return f"no space is left, and {wanted} cannot be installed without it"
    lines = [line.removeprefix("npm error ").removeprefix("npm ERR! ") for line in written.splitlines() if line.strip()]
    return f"{wanted} could not be installed: {lines[0] if lines else 'npm does not say why'}"
