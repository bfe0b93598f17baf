"""Which environment runs a test is told by its marks: what needs torch says so."""

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
HERE = Path(__file__).parent
MODULES = [path for path in sorted(HERE.rglob("test_*.py")) if "benchmarks" not in path.parts]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_that_is_skipped_without_torch_is_marked(path):
    text = path.read_text(encoding="utf-8")
    if re.search(r"(?m)^(torch = )?pytest\.importorskip\(.torch", text):
        assert re.search(r"(?ms)^pytestmark = .*?mark\.torch", text)


def test_a_test_that_is_skipped_without_torch_and_not_marked_fails(pytester):
    pytester.makeconftest((HERE / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(
        """
        import pytest

        def test_without(): pytest.skip("could not import 'torch': No module named 'torch'")

        @pytest.mark.torch
        def test_marked(): pytest.skip("could not import 'torch': No module named 'torch'")
        """
    )
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(failed=1, skipped=1)
