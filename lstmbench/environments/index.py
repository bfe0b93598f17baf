"""Which package index the user set for pip, in uv's words: uv reads no settings of pip."""

import ast
import os
import re
import subprocess
import sys

# of pip -> the environment variable of uv that means it
_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "trusted-host": "UV_INSECURE_HOST",
    "no-index": "UV_NO_INDEX",
    "cert": "SSL_CERT_FILE",
}
_LINE = re.compile(r"(?P<level>[\w:]+)\.\.?(?P<name>[\w-]+)=(?P<value>'.*'|\".*\")")
_LEVELS = ("global", "user", "site", "install", ":env:")  # the later wins


def for_uv() -> dict[str, str]:
    """What uv is to be told by its environment; what the user told uv itself stays."""
    found: dict[str, str] = {}
    lines = [
        match for line in _pip_says().splitlines() if (match := _LINE.fullmatch(line)) and match["level"] in _LEVELS
    ]
    for match in sorted(lines, key=lambda match: _LEVELS.index(match["level"])):
        if match["name"] in _UV:
            found[_UV[match["name"]]] = " ".join(str(ast.literal_eval(match["value"])).split())
    return {name: value for name, value in found.items() if name not in os.environ}


def _pip_says() -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else ""  # no pip, no settings of pip
