"""The sound files that are spoilt, and the modules beside this one."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the study by command finds its modules in the same way

import sound


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """Sound files of every kind; nobody changes them."""
    return sound.make(tmp_path_factory.mktemp("sound"))
