from types import SimpleNamespace

import pytest

from lstmbench.cli.compare import _of_medians, _over
from lstmbench.errors import LstmbenchError


def change(ratio, verdict="slower", *, runtime="numpy", kind="score"):
    case = SimpleNamespace(subject=SimpleNamespace(runtime=runtime), workload=SimpleNamespace(kind=kind))
    return SimpleNamespace(pair=SimpleNamespace(after=case), ratio=ratio, verdict=verdict)


@pytest.mark.parametrize(
    ("words", "is_over"),
    [
        (["p50:5%"], True),
        (["p50:10%"], False),
        (["p50:10%", "numpy:p50:5%"], True),
        (["torch:p50:5%"], False),
        (["decode:p50:1%"], False),
        (None, False),
    ],
)
def test_a_limit_is_of_all_or_of_what_it_names_as_bench_has_it(words, is_over):
    assert _over(change(1.06), _of_medians(words)) == is_over


def test_what_is_not_told_to_be_slower_breaks_no_limit():
    assert not _over(change(2.0, "tie"), _of_medians(["p50:5%"]))


@pytest.mark.parametrize("words", ["p99:5%", "5%", "p50:5", "p50:-5%", "p50:x%"])
def test_any_other_limit_is_refused_in_one_line(words):
    with pytest.raises(LstmbenchError, match="--fail"):
        _of_medians([words])
