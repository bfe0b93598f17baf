import pytest

from lstmbench.cli.compare import _share
from lstmbench.errors import LstmbenchError


def test_a_limit_is_a_share_of_the_median():
    assert _share("p50:5%") == 0.05
    assert _share("p50:2.5%") == 0.025
    assert _share("") == 0


@pytest.mark.parametrize("words", ["p99:5%", "5%", "p50:5", "p50:-5%", "p50:x%"])
def test_any_other_limit_is_refused_in_one_line(words):
    with pytest.raises(LstmbenchError, match=r"^--fail is a median's limit such as p50:5%, not "):
        _share(words)
