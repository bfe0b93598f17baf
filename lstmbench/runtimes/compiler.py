"""The C++ compiler that torch.compile builds its kernels with: looked for as it does, before torch is imported."""

import os
import shutil

from lstmbench.errors import RuntimeMissingError


def cxx() -> str:
    """Its path; RuntimeMissingError where there is none."""
    wanted = os.environ.get("CXX") or "g++"
    found = shutil.which(wanted)
    if found is None:
        raise RuntimeMissingError(f"torch.compile needs a C++ compiler, and {wanted} is not here: apt-get install g++")
    return found
