"""Packages of npm in an environment: from a folder, without a network; and what npm says, in one line."""

import json
import shutil

import pytest

from lstmbench.environments import modules
from lstmbench.errors import RuntimeMissingError


def test_without_npm_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(RuntimeMissingError, match=r"engine needs Node.js and npm: apt-get install nodejs npm"):
        modules.add(tmp_path, "engine")


@pytest.mark.skipif(not shutil.which("npm"), reason="no npm here")
def test_a_package_lies_beside_those_of_python_and_its_scripts_do_not_run(tmp_path):
    source, into = tmp_path / "source", tmp_path / "into"
    source.mkdir()
    package = {"name": "engine", "version": "1.2.3", "scripts": {"postinstall": "exit 1"}}
    (source / "package.json").write_text(json.dumps(package))
    modules.add(into, str(source))
    assert modules.held(into) == {"engine": "1.2.3"}


def test_a_folder_without_any_holds_none(tmp_path):
    assert modules.held(tmp_path) == {}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("npm error code E404\nnpm error 404 Not Found", "npm's registry has no engine@9"),
        ("npm error code ENOTFOUND", "npm's registry cannot be reached, and engine@9 cannot be installed without it"),
        ("npm error code ENOSPC\nnpm error nospc", "no space is left, and engine@9 cannot be installed without it"),
        ("npm error code EBADENGINE\nnpm error more", "engine@9 could not be installed: code EBADENGINE"),
        ("", "engine@9 could not be installed: npm does not say why"),
    ],
)
def test_what_npm_writes_is_one_line(written, said):
    assert modules._why(written, "engine@9") == said
