"""`python -I abroad.py <descriptor>`: the worker in an environment that has an engine, and not lstmbench.

It runs on the very source that the parent runs on, whatever version that is; nothing else of the parent's packages
gets onto its path.
"""

import importlib.util
import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    package = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location(
        package.name, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules[package.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    runpy.run_module(f"{package.name}.worker", run_name="__main__")
