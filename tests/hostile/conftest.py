"""The sound files that are spoilt, and the modules beside this one."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]  # as the study by command has them

import sound  # noqa: E402 (after the path)


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """Sound files of every kind; nobody changes them."""
    return sound.make(tmp_path_factory.mktemp("sound"))
