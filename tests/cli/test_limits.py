import pytest

from lstmbench.cli.limits import limits
from lstmbench.errors import LstmbenchError


def test_limits_are_of_all_or_of_what_they_name():
    read = limits(["p50:5%", "decode:p90:2.5%", "my.module:Class:p99:10%"])
    assert [tuple(limit) for limit in read] == [
        (0.5, 0.05, ""),
        (0.9, 0.025, "decode"),
        (0.99, 0.1, "my.module:Class"),
    ]
    assert limits(None) == []


@pytest.mark.parametrize(
    "word", ["", "5%", "p50", "p50:5", "p50:-5%", "p95:5%", ":p50:5%", "p50:5%:decode", "p50:1e3%"]
)
def test_what_is_no_limit_is_refused_in_one_line(word):
    with pytest.raises(LstmbenchError, match=r"^--fail is a limit of p50, p90 or p99 such as p50:5%"):
        limits([word])
