"""What a user types and reads where an export is chosen, or cannot be timed."""

import pytest

from lstmbench.cli import choice
from lstmbench.cli.bench import _timeable
from lstmbench.errors import LstmbenchError
from lstmbench.flows.candidates import Candidate
from lstmbench.flows.choose import Choice
from lstmbench.records import Load, ModelConfig, Timing, Workload
from lstmbench.samples import Case

SCORE = [Workload(kind="score", batch=1, time=16)]


@pytest.fixture
def exported(recorded):
    model = ModelConfig(head="lm", peephole="none", input_size=2, hidden_size=2, vocabulary_size=3)
    return lambda form: recorded(model, folder="models/tiny", form=form)


@pytest.mark.parametrize(("words", "share"), [("1%", 0.01), ("0.5%", 0.005), ("0.02", 0.02), ("0", 0.0), ("100%", 1.0)])
def test_a_loss_is_a_share_in_words(words, share):
    assert choice.share(words) == pytest.approx(share)


@pytest.mark.parametrize("words", ["", "%", "one", "-1%", "101%", "2", "nan", "1%%"])
def test_what_is_no_share_is_said_to_be_none(words):
    with pytest.raises(LstmbenchError, match=r"^--max-loss is a share such as 1% or 0.01, not "):
        choice.share(words)


def test_the_table_tells_what_was_kept_what_ties_what_is_slower_and_what_is_out(exported):
    def timed(form, precision, seconds):
        work = Workload(kind="score", batch=1, time=1)
        timing = Timing(
            session=Load(at="", load_average=(0, 0, 0), cpu_mhz=None),
            budget_s=1,
            fresh=True,
            spawn_s=1,
            load_s=1,
            warmup_s=(1,),
            steady=None,
            wall_s=1,
            cpu_s=1,
            start_s=(0,) * 9,
            sample_s=(seconds,) * 9,
            rounds=(9,),
        )
        return Candidate(form, precision, loss=0.001, case=Case(None, work, (timing,), ""))

    out = Candidate("scan", "int4", loss=0.02, refused="costs up to 2.00%, more than 1.00%")
    fastest, kept, slow = timed("loop", "fp32", 0.001), timed("scan", "fp32", 0.0011), timed("scan", "fp16", 0.0025)
    chosen = Choice([fastest, kept, slow, out], [fastest, kept], exported("scan"))
    assert [choice._verdict(one, chosen) for one in chosen.candidates] == [
        ["loop-fp32", "1", "+0.10%", "tie"],
        ["scan-fp32", "1.1", "+0.10%", "kept"],
        ["scan-fp16", "2.5", "+0.10%", "2.50x as long"],
        ["scan-int4", "n/a", "+2.00%", "costs up to 2.00%, more than 1.00%"],
    ]


def test_what_no_workload_fits_is_named_and_left_out(exported, capsys):
    fitting = _timeable([exported("unrolled7"), exported("unrolled16"), exported("scan")], SCORE)
    assert [one.record.form for one in fitting] == ["unrolled16", "scan"]
    said = "tiny/unrolled7-fp32 is left out: it takes T = 7 a call alone: give --time 7 with --batch\n"
    assert capsys.readouterr().err == said


def test_where_no_workload_fits_anything_nothing_is_begun(exported):
    with pytest.raises(LstmbenchError, match=r"nothing here can be timed: tiny/unrolled7-fp32 takes T = 7 a call"):
        _timeable([exported("unrolled7")], SCORE)


ASKED = {"max-loss": None, "runtime": None, "workload": None, "batch": None, "time": None, "threads": None}
WHAT = {"head": None, "form": "auto", "precision": "auto", "lengths": False, "storage": None}


@pytest.mark.parametrize("name", ASKED)
def test_an_option_of_the_choice_without_one_is_refused(name):
    with pytest.raises(LstmbenchError, match=rf"^--{name} is for a choice: give --form auto or --precision auto with"):
        choice.demand_use(ASKED | {name: 1}, auto=False, text=None, precision="int8", head=None)
    choice.demand_use(ASKED | {name: 1}, auto=True, text="t", precision="int8", head=None)


@pytest.mark.parametrize(("precision", "head"), [("fp32", None), ("int8", "layer")])
def test_a_text_that_nothing_would_be_scored_on_is_refused(precision, head):
    with pytest.raises(LstmbenchError, match=r"^--text scores language models below fp32"):
        choice.demand_use(ASKED, auto=False, text="t", precision=precision, head=head)


def test_a_wish_has_defaults_and_leaves_open_what_is_auto():
    wished = choice.wish(WHAT, ASKED)
    assert (wished.form, wished.precision, wished.max_loss, wished.threads) == (None, None, 0.01, 1)
    assert wished.workload == Workload(kind="score", batch=1, time=64)
    assert choice.wish(WHAT | {"form": "scan"}, ASKED | {"workload": "decode"}).form == "scan"


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"time": 0}, {"threads": 0}, {"batch": 10**8}, {"threads": 10**6}])
def test_a_wish_that_cannot_be_measured_is_refused(wrong):
    with pytest.raises(LstmbenchError, match=r"^cannot (time|run)"):
        choice.wish(WHAT, ASKED | wrong)
